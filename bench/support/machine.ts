import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { SERVER_SETTINGS, type TestBed } from './test-bed.js';

/** The hardware and software of a measurement, without which its figures cannot be compared. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGb: number;
  readonly node: string;
  readonly postgres: string;
  readonly postgresSettings: Readonly<Record<string, string>>;
  readonly redis: string;
  readonly bullmq: string;
  readonly commit: string;
}

export async function machineOf({ postgres }: TestBed): Promise<Machine> {
  const [server] = await postgres.sql<{ version: string }>(`SELECT current_setting('server_version') AS version`);
  const [durability] = await postgres.sql<Record<string, string>>(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit`,
  );
  const bullmq: { readonly version: string } = JSON.parse(readFileSync('node_modules/bullmq/package.json', 'utf8'));
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres: server?.version ?? 'unknown',
    postgresSettings: { ...durability, ...SERVER_SETTINGS },
    redis: /v=(\S+)/.exec(outputOf('redis-server', ['--version']))?.[1] ?? 'unknown',
    bullmq: bullmq.version,
    commit: outputOf('git', ['describe', '--always', '--dirty']),
  };
}

export function sentenceOf(machine: Machine): string {
  const { cores, processor, memoryGb, node, postgres, redis, bullmq, commit } = machine;
  const settings = Object.entries(machine.postgresSettings).map(([name, value]) => `${name}=${value}`);
  return [
    `${cores} × ${processor}, ${memoryGb} GB; commit ${commit}`,
    `Node ${node}, PostgreSQL ${postgres}, Redis ${redis}, BullMQ ${bullmq}`,
    settings.join(' '),
  ].join('\n');
}

function outputOf(program: string, parameters: readonly string[]): string {
  try {
    return execFileSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    // For example, the folder is not a git checkout.
    return 'unknown';
  }
}
