import { median } from './statistics.js';

/** A limit for a ratio. Absolute figures have no targets, because they depend on the machine and its other load. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Further figures of a row by name. */
export type Details = Readonly<Record<string, string | number>>;

/** One row of the table: a measured value (`ours`) compared with a reference (`theirs`). */
export interface Row {
  readonly name: string;
  /** The two compared values: `ours; theirs`. */
  readonly description: string;
  /** Medians of the rounds, in `unit`; null: not measured. */
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly unit: string;
  /** `ours` divided by `theirs`: the median of the ratios of each round, so that a slow period affects both sides. */
  readonly ratio: number | null;
  /** Null: the row is for information. */
  readonly target: Target | null;
  /** Null: there is no target, or nothing was measured. */
  readonly passed: boolean | null;
  readonly details: Details;
}

export interface Comparison {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  /** One figure per round. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly target?: Target;
  /** Further conditions besides the target, e.g. that nothing was oversold. */
  readonly holds?: boolean;
  readonly details?: Details;
}

/** Computes a row from the rounds of two sides. */
export function compare({ ours, theirs, target, holds = true, details = {}, ...named }: Comparison): Row {
  const ratio = median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)));
  const passed = target ? isTargetMet(ratio, target) && holds : null;
  return { ...named, ours: median(ours), theirs: median(theirs), ratio, target: target ?? null, passed, details };
}

/** A row for a benchmark that cannot run on this machine. */
export function notMeasured(name: string, why: string): Row {
  const nothing = { ours: null, theirs: null, unit: '', ratio: null, target: null, passed: null };
  return { name, description: `not measured: ${why}`, ...nothing, details: {} };
}

function isTargetMet(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}
