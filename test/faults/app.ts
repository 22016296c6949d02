import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import { send } from './http.js';

const CLOCK = new URL('clock.js', import.meta.url).href;
const START_WITHIN_MS = 90_000;
const TRIES_MAX = 20;

export interface AppOptions {
  readonly name: string;
  readonly main: string;
  readonly health: string;
  readonly port: number;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The beginnings of the paths that it answers. */
  readonly serves: readonly string[];
}

/** One process of the shop: started, made to die, and started again on the same port. */
export class App {
  private child: ChildProcess | undefined;
  private isClosed = false;

  constructor(private readonly options: AppOptions) {}

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  serves(path: string): boolean {
    return this.options.serves.some((start) => path.startsWith(start));
  }

  private get logFile(): string {
    return join(this.options.folder, `${this.name}.log`);
  }

  /** Starts it and waits until it answers, or until it has died of what it was told to die of. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.isClosed) throw new Error(`${this.name} is closed`);
    const { main, port, folder, environment } = this.options;
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, NODE_ENV: 'test', LOG_LEVEL: 'warn', PORT: String(port), CLOCK_FILE: this.clockFile };
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, ['--import', CLOCK, main], {
      cwd: folder,
      env: { ...env, ...environment, ...more },
      stdio: ['ignore', log, log],
      // Ctrl-C is for the campaign, which stops everything in order.
      detached: true,
    });
    closeSync(log);
    this.child = child;
    await until(`${this.name} answers`, () => hasEnded(child) || this.answers(), START_WITHIN_MS);
  }

  /** Starts it as a service manager does: again, when it has ended because its database was not there yet. */
  async restart(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await this.start();
      if (this.isRunning) return;
      if (tries === TRIES_MAX) throw new Error(`${this.name} does not start:\n${await this.lastWords()}`);
      await pause(500);
    }
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined && !hasEnded(this.child);
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** How it ended. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.signal(signal);
    return this.ended();
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.end('SIGKILL');
  }

  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { child } = this;
    if (!child) return { code: null, signal: null };
    if (!hasEnded(child)) await once(child, 'exit');
    return { code: child.exitCode, signal: child.signalCode };
  }

  /** Waits for it to die, but not for ever. */
  async endsWithin(ms: number): Promise<boolean> {
    await Promise.race([this.ended(), pause(ms, undefined, { ref: false })]);
    return !this.isRunning;
  }

  /** Its wall clock jumps; 0 sets it right again. */
  async setClock(offsetMs: number): Promise<void> {
    await writeFile(this.clockFile, String(offsetMs));
    this.signal('SIGUSR2');
  }

  /** Whether it answers a request: then it has read whatever had been sent to it before. */
  async answers(): Promise<boolean> {
    const answer = await send(this.url, { method: 'GET', path: this.options.health, timeoutMs: 2_000 });
    return answer !== undefined && answer.status === 200;
  }

  private async lastWords(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).slice(-2_000);
  }

  private get clockFile(): string {
    return join(this.options.folder, `${this.name}.clock`);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
