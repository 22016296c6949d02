import type { App } from './app.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

/** A process that was told to stop, and did; times in milliseconds since the epoch. */
export interface Stop {
  readonly app: string;
  /** Whatever had been sent to it by then it had heard when it was told to stop. */
  readonly heardAt: number;
  readonly endedAt: number;
}

/** What a fault may be done with. */
interface Scene {
  readonly rig: Rig;
  readonly random: Random;
  /** The process that is meant, where a process is. */
  readonly app: App;
  /** What went wrong beyond what the fault itself does, in a sentence each. */
  readonly complaints: string[];
  /** Tells that it did not come about, e.g. because a point was not passed: it does not count. */
  readonly failed: () => void;
  /** Whether nothing else is broken at this moment. */
  readonly isAlone: () => boolean;
  /** Tells that a process has stopped as it should. */
  readonly stopped: (stop: Stop) => void;
}

/** Sets right again what a fault has broken. */
export type Heal = () => Promise<void>;

export interface Fault {
  readonly kind: string;
  /** Two faults of one target are never there at once. */
  readonly target: 'app' | 'postgres' | 'network' | 'redis' | 'mail';
  /** Whether a mail that goes out twice can be explained by it: it cuts off whoever has sent one and wants to write it down. */
  readonly explains: boolean;
  /** How long it lasts, in milliseconds. */
  readonly lasts: readonly [number, number];
  /** So long that others happen meanwhile. */
  readonly isLong?: boolean;
  /** How often it comes up before all have come up; default 1. */
  readonly cards?: number;
  /** What it does to processes, for the count. */
  readonly counts?: 'sigkill' | 'postgres-crash' | 'flushall';
  readonly isPossible?: (rig: Rig) => boolean;
  strike(scene: Scene): Promise<Heal>;
}

export const nothing: Heal = async () => undefined;
