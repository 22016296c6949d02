/** FC_RUNS=2000 for a long look, FC_SEED=… to see again what a failure has printed. */
const { FC_RUNS, FC_SEED } = process.env;

/** Sets the length of a look, and the time that Jest gives it. */
export function parametersFor(runs: number, msPerRun: number) {
  const numRuns = FC_RUNS ? Number(FC_RUNS) : runs;
  jest.setTimeout(60_000 + numRuns * msPerRun);
  return { numRuns, includeErrorInReport: true, ...(FC_SEED && { seed: Number(FC_SEED) }) };
}
