type Measures = Readonly<Record<string, () => Promise<unknown>>>;

/** One result of each side per round. */
type Results<Sides extends Measures> = { [Name in keyof Sides]: Awaited<ReturnType<Sides[Name]>>[] };

/**
 * Measures the sides alternately (A B A B …), so that other load of the machine affects all of them alike. An
 * additional first round warms up caches and compilers, and is not counted.
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
