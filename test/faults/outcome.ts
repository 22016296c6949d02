import { execFileSync } from 'node:child_process';
import { cpus, totalmem, type } from 'node:os';
import type { Verdict } from './checks.js';
import type { Growth } from './memory.js';
import type { Injection } from './nemesis.js';
import type { RepeatedMail } from './repeated-mails.js';
import type { Queues, Topology } from './rig.js';

/** The complete outcome of a campaign, as `--json` writes it. */
export interface Outcome {
  readonly system: string;
  readonly seed: number;
  readonly topology: Topology;
  readonly queues: Queues;
  readonly machine: string;
  /** All kinds of faults that could be chosen. */
  readonly kinds: readonly string[];
  readonly injections: readonly Injection[];
  readonly verdicts: readonly Verdict[];
  readonly acknowledged: number;
  readonly requestsWithoutAnswer: number;
  /** Number of interrupted answers by the active fault. */
  readonly breaks: Readonly<Record<string, number>>;
  /** Requests with a key that was used with another request. */
  readonly misusedKeys: number;
  /** Number of answers by status. */
  readonly answers: Readonly<Record<string, number>>;
  readonly mails: number;
  readonly repeated: readonly RepeatedMail[];
  readonly seconds: number;
  /** Acknowledged orders per second, before the first fault and with faults. */
  readonly calmRate: number;
  readonly faultyRate: number;
  /** Time from the end of the faults of each round until no delivery was pending, in milliseconds. */
  readonly drainsMs: readonly number[];
  /** By name of the process. Processes are restarted often, so this shows only large leaks. */
  readonly memory: Readonly<Record<string, Growth>>;
  readonly hasOwnDisk: boolean;
}

/** Describes the commit and the machine. */
export function machine(): string {
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${commit}, Node ${process.versions.node}, ${type()}, ${cpus().length} cores (${cpus()[0]?.model}), ${memory} GiB`;
}
