import type { Ground } from './ground.js';
import type { Row } from './row.js';

/** What every benchmark is given. */
export interface Bench {
  readonly ground: Ground;
  /** How often each side of a comparison is measured; the medians count. */
  readonly rounds: number;
  /** All are run, which has to end within a quarter of an hour. */
  readonly isWhole: boolean;
  /** How long memory is watched under load. */
  readonly minutes: number;
}

/** Measures one thing and gives its rows of the table. */
export type Benchmark = (bench: Bench) => Promise<readonly Row[]>;
