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
  /** Prefixes of the paths that it serves. */
  readonly serves: readonly string[];
}

/** One process of the system under test. It is restarted on the same port. */
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

  /** Starts the process and waits until it answers or has ended. */
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
      // Its own process group, so Ctrl-C does not reach it: the campaign stops its processes in sequence.
      detached: true,
    });
    closeSync(log);
    this.child = child;
    await until(`${this.name} answers`, () => hasEnded(child) || this.answers(), START_WITHIN_MS);
  }

  /** Starts the process like a service manager: again if it ends, because its database may not be ready yet. */
  async restart(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await this.start();
      if (this.isRunning) return;
      if (tries === TRIES_MAX) throw new Error(`${this.name} does not start:\n${await this.lastOutput()}`);
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

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.signal(signal);
    return this.ended();
  }

  /** Ends the process. It cannot be started again. */
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

  /** Waits at most `ms` for the end. Returns whether the process has ended. */
  async endsWithin(ms: number): Promise<boolean> {
    await Promise.race([this.ended(), pause(ms, undefined, { ref: false })]);
    return !this.isRunning;
  }

  /** Shifts the wall clock of the process; 0 corrects it again. */
  async setClock(offsetMs: number): Promise<void> {
    await writeFile(this.clockFile, String(offsetMs));
    this.signal('SIGUSR2');
  }

  /** Whether the process answers a request. If so, it has received all requests that were sent before. */
  async answers(): Promise<boolean> {
    const answer = await send(this.url, { method: 'GET', path: this.options.health, timeoutMs: 2_000 });
    return answer !== undefined && answer.status === 200;
  }

  private async lastOutput(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).slice(-2_000);
  }

  private get clockFile(): string {
    return join(this.options.folder, `${this.name}.clock`);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
