import { execFile, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Database } from './database.js';

/** Threads of pgbench; more would take processor time from PostgreSQL. */
const THREADS_MAX = 2;
/** Numbers reserved for each run, more than a run can use, so that ids are unique over all runs. */
const NUMBERS_PER_RUN = 1_000_000_000;
const FIRST_NUMBER = 100_000_000_000;

export interface PgbenchOutcome {
  readonly perSecond: number;
  /** Mean, in milliseconds. */
  readonly mean: number;
}

/** Whether this machine has PostgreSQL's own load generator. */
export const hasPgbench = spawnSync('pgbench', ['--version']).status === 0;
export const PGBENCH_MISSING =
  'pgbench is not installed; it is part of the client or server packages of PostgreSQL 14 or newer';

/** Runs a pgbench script with a number that increases with each transaction and is never used again. */
export class Pgbench {
  private runs = 0;

  private constructor(
    private readonly database: Database,
    private readonly file: string,
  ) {}

  static async with(script: string, database: Database, folder: string): Promise<Pgbench> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${database.name}.sql`);
    await writeFile(file, script);
    return new Pgbench(database, file);
  }

  /** Runs the script repeatedly with several clients. */
  async load(clients: number, seconds: number): Promise<PgbenchOutcome> {
    const output = await this.run([
      '-c',
      String(clients),
      '-j',
      String(Math.min(clients, THREADS_MAX)),
      '-T',
      String(seconds),
    ]);
    return { perSecond: figure(output, /^tps = ([\d.]+)/gm), mean: figure(output, /^latency average = ([\d.]+)/gm) };
  }

  async once(): Promise<void> {
    await this.run(['-c', '1', '-t', '1']);
  }

  private async run(parameters: readonly string[]): Promise<string> {
    const base = FIRST_NUMBER + this.runs * NUMBERS_PER_RUN;
    this.runs += 1;
    const { hostname, port, username, password, pathname } = new URL(this.database.url);
    const where = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    };
    const options = ['-n', '-M', 'prepared', '-f', this.file, '-D', `base=${base}`, '-D', 'turn=0', ...parameters];
    const { PATH = '' } = process.env;
    const { stdout, stderr } = await promisify(execFile)('pgbench', options, { env: { PATH, ...where } });
    if (/aborted|ERROR/.test(stderr)) throw new Error(`pgbench: ${stderr.slice(0, 2_000)}`);
    return stdout;
  }
}

/** The last match: older versions print the figure both with and without the time to connect. */
function figure(output: string, pattern: RegExp): number {
  const found = [...output.matchAll(pattern)].at(-1)?.[1];
  if (found === undefined) throw new Error(`The output of pgbench does not match ${pattern.source}:\n${output}`);
  return Number(found);
}
