import type { Process } from './process.js';
import { ownProcessorMs, processorSeconds } from './processor-time.js';
import type { TestBed } from './test-bed.js';

/** Processor time by part, and elapsed time, in seconds. */
interface Spending {
  readonly shop: number;
  readonly postgres: number;
  /** The clients, which run in this process. */
  readonly load: number;
  readonly elapsed: number;
}

export type Spent<Outcome> = Outcome & { readonly spent: Spending };

/** Runs the work and adds to its result how much processor time each part used. */
export async function withSpending<Outcome extends object>(
  testBed: TestBed,
  processes: readonly Process[],
  work: () => Promise<Outcome>,
): Promise<Spent<Outcome>> {
  const server = await testBed.postgres.pid();
  const sample = async () => ({
    shop: await processorSeconds(...processes.map(({ pid }) => pid)),
    postgres: await processorSeconds(server),
    load: ownProcessorMs() / 1_000,
    elapsed: performance.now() / 1_000,
  });
  const before = await sample();
  const outcome = await work();
  const after = await sample();
  const spent = {
    shop: after.shop - before.shop,
    postgres: after.postgres - before.postgres,
    load: after.load - before.load,
    elapsed: after.elapsed - before.elapsed,
  };
  return { ...outcome, spent };
}
