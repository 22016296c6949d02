interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Doubles from the first pause up to the longest; half of it is left to chance, so that what failed together does not
 * come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter, "equal jitter").
 *
 * @param attempt the one that failed, from 1
 * @param chance from 0 to 1
 */
export function pauseAfter(attempt: number, { firstMs, maxMs }: Backoff, chance = Math.random()): number {
  const pause = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return Math.round(pause / 2 + (pause / 2) * chance);
}
