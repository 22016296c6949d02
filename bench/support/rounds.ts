type Measures = Readonly<Record<string, () => Promise<unknown>>>;

/** What each side gave, one result a round. */
type Results<Sides extends Measures> = { [Name in keyof Sides]: Awaited<ReturnType<Sides[Name]>>[] };

/**
 * Measures A B A B …, so that whatever else the machine does meets all sides alike. A round before the first one warms
 * up caches and compilers, and does not count.
 */
export async function rounds<Sides extends Measures>(count: number, sides: Sides): Promise<Results<Sides>> {
  const results = Object.fromEntries(Object.keys(sides).map((name): [string, unknown[]] => [name, []]));
  for (let round = 0; round <= count; round += 1) {
    for (const [name, measure] of Object.entries(sides)) {
      const result = await measure();
      if (round > 0) results[name]?.push(result);
    }
  }
  return results as Results<Sides>;
}
