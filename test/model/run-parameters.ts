/** FC_RUNS=2000 runs more histories; FC_SEED=… repeats a failure with the seed that it printed. */
const { FC_RUNS, FC_SEED } = process.env;

/** Sets the number of runs and the timeout of Jest. */
export function parametersFor(runs: number, msPerRun: number) {
  const numRuns = FC_RUNS ? Number(FC_RUNS) : runs;
  jest.setTimeout(60_000 + numRuns * msPerRun);
  return { numRuns, includeErrorInReport: true, ...(FC_SEED && { seed: Number(FC_SEED) }) };
}
