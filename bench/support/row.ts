import { median } from './statistics.js';

/** What a ratio has to be: absolute figures mean nothing on a machine that others use. */
export type Reach = { readonly atLeast: number } | { readonly atMost: number };

/** Further figures of a row, by what they are. */
export type Details = Readonly<Record<string, string | number>>;

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly what: string;
  /** Medians of the rounds, in `unit`; null: not measured. */
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly unit: string;
  /** Ours by theirs: the median of the rounds' own ratios, so that a slow minute of the machine meets both sides. */
  readonly ratio: number | null;
  /** Null: the row only informs. */
  readonly reach: Reach | null;
  /** Null: there is nothing to reach, or it was not measured. */
  readonly passed: boolean | null;
  readonly details: Details;
}

export interface Comparison {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** One figure of each round. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly reach?: Reach;
  /** What has to hold besides, e.g. that nothing was oversold. */
  readonly holds?: boolean;
  readonly details?: Details;
}

/** A row out of the rounds of two sides. */
export function compare({ ours, theirs, reach, holds = true, details = {}, ...named }: Comparison): Row {
  const ratio = median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)));
  const passed = reach ? isReached(ratio, reach) && holds : null;
  return { ...named, ours: median(ours), theirs: median(theirs), ratio, reach: reach ?? null, passed, details };
}

/** Stands for what cannot be measured on this machine. */
export function notMeasured(name: string, why: string): Row {
  const nothing = { ours: null, theirs: null, unit: '', ratio: null, reach: null, passed: null };
  return { name, what: `not measured: ${why}`, ...nothing, details: {} };
}

function isReached(ratio: number, reach: Reach): boolean {
  return 'atLeast' in reach ? ratio >= reach.atLeast : ratio <= reach.atMost;
}
