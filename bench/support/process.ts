import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/free-port.js';

const READY_WITHIN_MS = 90_000;
const POLL_EVERY_MS = 5;

type Environment = Readonly<Record<string, string>>;

export interface ProcessOptions {
  readonly main: string;
  /** Path that answers 200 when the program is ready. */
  readonly health: string;
  readonly environment: Environment;
  readonly folder: string;
}

/** A program in its own process. */
export class Process {
  /** Milliseconds from the start until the program was ready. */
  startMs = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: ProcessOptions & { readonly log: string },
    readonly url: string,
    private readonly startedAt: number,
  ) {}

  /**
   * Starts in a folder without `.env`. The log is written to a file, because an unread pipe would block the program.
   */
  static async launch(options: ProcessOptions): Promise<Process> {
    const { main, environment, folder } = options;
    const port = await freePort();
    const log = join(folder, `${port}.log`);
    const output = openSync(log, 'a');
    const { PATH = '', HOME = '' } = process.env;
    const startedAt = performance.now();
    const child = spawn(process.execPath, [main], {
      cwd: folder,
      env: { PATH, HOME, PORT: String(port), ...environment },
      stdio: ['ignore', output, output],
      // Its own process group, so Ctrl-C does not reach it: the benchmarks stop their processes in sequence.
      detached: true,
    });
    closeSync(output);
    return new Process(child, { ...options, log }, `http://127.0.0.1:${port}`, startedAt);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('The program could not be started');
    return this.child.pid;
  }

  /** Waits until the health path answers. */
  async ready(): Promise<void> {
    while (performance.now() - this.startedAt < READY_WITHIN_MS) {
      if (this.hasEnded) break;
      if (await this.answers()) {
        this.startMs = performance.now() - this.startedAt;
        return;
      }
      await pause(POLL_EVERY_MS);
    }
    throw new Error(`${this.options.main} did not start:\n${(await readFile(this.options.log, 'utf8')).slice(-2_000)}`);
  }

  /** Resident memory in megabytes. */
  async memory(): Promise<number> {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(this.pid)]);
    return Number(stdout) / 1_024;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const isOver = await Promise.race([ended.then(() => true), pause(15_000, false, { ref: false })]);
    if (isOver) return;
    this.child.kill('SIGKILL');
    await ended;
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async answers(): Promise<boolean> {
    try {
      const { ok } = await fetch(`${this.url}${this.options.health}`);
      return ok;
    } catch {
      // The program does not listen yet.
      return false;
    }
  }
}
