import type { Row } from './row.js';
import type { TestBed } from './test-bed.js';

/** Parameters of every benchmark. */
export interface Bench {
  readonly testBed: TestBed;
  /** Measurements of each side of a comparison; results are medians. */
  readonly rounds: number;
  /** All benchmarks run, which must take at most a quarter of an hour. */
  readonly isWhole: boolean;
  /** Duration of the memory measurement under load. */
  readonly minutes: number;
}

/** Runs one benchmark and returns its rows of the table. */
export type Benchmark = (bench: Bench) => Promise<readonly Row[]>;
