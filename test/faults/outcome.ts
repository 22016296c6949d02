import { execFileSync } from 'node:child_process';
import { cpus, totalmem, type } from 'node:os';
import type { Verdict } from './checks.js';
import type { Growth } from './memory.js';
import type { Strike } from './nemesis.js';
import type { RepeatedMail } from './repeated-mails.js';
import type { Queues, Topology } from './rig.js';

/** All that there is to say of a campaign: what `--json` writes. */
export interface Outcome {
  readonly subject: string;
  readonly seed: number;
  readonly topology: Topology;
  readonly queues: Queues;
  readonly machine: string;
  /** Of the faults that were to choose from. */
  readonly kinds: readonly string[];
  readonly strikes: readonly Strike[];
  readonly verdicts: readonly Verdict[];
  readonly acknowledged: number;
  readonly requestsWithoutAnswer: number;
  /** How many answers broke off, by the fault that was on. */
  readonly breaks: Readonly<Record<string, number>>;
  /** Requests with a key that another one had had. */
  readonly misusedKeys: number;
  /** How many answers there were of each status. */
  readonly answers: Readonly<Record<string, number>>;
  readonly mails: number;
  readonly repeated: readonly RepeatedMail[];
  readonly seconds: number;
  /** Orders acknowledged a second, before the first fault and while there were faults. */
  readonly calmRate: number;
  readonly faultyRate: number;
  /** From the end of a round's faults until nothing was left to do, in milliseconds. */
  readonly drainsMs: readonly number[];
  /** By the name of the process. It is started anew again and again, so this finds coarse leaks only. */
  readonly memory: Readonly<Record<string, Growth>>;
  readonly hasOwnDisk: boolean;
}

/** What was measured on what, in a line. */
export function machine(): string {
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${commit}, Node ${process.versions.node}, ${type()}, ${cpus().length} cores (${cpus()[0]?.model}), ${memory} GiB`;
}
