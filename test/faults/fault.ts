import type { App } from './app.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

/** A process that was stopped by SIGTERM; times in milliseconds since the epoch. */
export interface Stop {
  readonly app: string;
  /** Requests that were sent before this time had been received before the SIGTERM. */
  readonly receivedUntil: number;
  readonly endedAt: number;
}

/** The parts of a test run that a fault may use. */
interface FaultContext {
  readonly rig: Rig;
  readonly random: Random;
  /** The affected process, if the target of the fault is a process. */
  readonly app: App;
  /** Unexpected problems besides the fault itself, one sentence each. */
  readonly problems: string[];
  /** Reports that the fault did not happen, e.g. because the crash point was not reached. It is not counted. */
  readonly failed: () => void;
  /** Whether no other fault is active. */
  readonly isAlone: () => boolean;
  /** Reports that a process has stopped regularly. */
  readonly stopped: (stop: Stop) => void;
}

/** Ends a fault. */
export type Heal = () => Promise<void>;

export interface Fault {
  readonly kind: string;
  /** Two faults of one target are never active at the same time. */
  readonly target: 'app' | 'postgres' | 'network' | 'redis' | 'mail';
  /** Whether it explains duplicate e-mails: it can interrupt a sender between the e-mail and the record of it. */
  readonly explainsDuplicates: boolean;
  /** Shortest and longest duration, in milliseconds. */
  readonly durationMs: readonly [number, number];
  /** Other faults are injected while it lasts. */
  readonly isLong?: boolean;
  /** How often it is in the deck from which faults are drawn; default 1. */
  readonly weight?: number;
  /** The row of the report that counts this fault. */
  readonly countsAs?: 'sigkill' | 'postgres-crash' | 'flushall';
  readonly isPossible?: (rig: Rig) => boolean;
  inject(context: FaultContext): Promise<Heal>;
}

export const nothingToHeal: Heal = async () => undefined;
