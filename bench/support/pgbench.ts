import { execFile, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Database } from './database.js';

/** Each client starts so many threads as there may be processors for it. */
const THREADS_MAX = 2;
/** Numbers of one run do not reach those of the next one, however fast it is. */
const NUMBERS_A_RUN = 1_000_000_000;
const FIRST_NUMBER = 100_000_000_000;

export interface PgbenchOutcome {
  readonly perSecond: number;
  /** Mean, in milliseconds. */
  readonly mean: number;
}

/** Whether this machine has PostgreSQL's own load generator. */
export const hasPgbench = spawnSync('pgbench', ['--version']).status === 0;
export const WHERE_PGBENCH_IS =
  'it needs pgbench, which comes with the clients or the server of PostgreSQL 14 or newer';

/** A script for pgbench, with a number that grows from transaction to transaction and never comes again. */
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

  /** Runs it again and again, at so many clients. */
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

  private async run(how: readonly string[]): Promise<string> {
    const base = FIRST_NUMBER + this.runs * NUMBERS_A_RUN;
    this.runs += 1;
    const { hostname, port, username, password, pathname } = new URL(this.database.url);
    const where = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    };
    const options = ['-n', '-M', 'prepared', '-f', this.file, '-D', `base=${base}`, '-D', 'turn=0', ...how];
    const { PATH = '' } = process.env;
    const { stdout, stderr } = await promisify(execFile)('pgbench', options, { env: { PATH, ...where } });
    if (/aborted|ERROR/.test(stderr)) throw new Error(`pgbench: ${stderr.slice(0, 2_000)}`);
    return stdout;
  }
}

/** The last one: older versions tell it with and without the time to connect. */
function figure(output: string, pattern: RegExp): number {
  const found = [...output.matchAll(pattern)].at(-1)?.[1];
  if (found === undefined) throw new Error(`pgbench did not tell ${pattern.source}:\n${output}`);
  return Number(found);
}
