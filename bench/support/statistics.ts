export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolated linearly. @throws {RangeError} when there are no values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('There are no values to compute a quantile of');
  return below + (above - below) * (position % 1);
}

/** To three significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
