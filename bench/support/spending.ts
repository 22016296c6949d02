import type { Ground } from './ground.js';
import type { Process } from './process.js';
import { ownProcessorMs, processorSeconds } from './processor-time.js';

/** Seconds of processor time, and of time. */
interface Spending {
  readonly shop: number;
  readonly postgres: number;
  /** This process, which is the clients. */
  readonly load: number;
  readonly elapsed: number;
}

export type Spent<Outcome> = Outcome & { readonly spent: Spending };

/** Does something, and says who took how much of the processors for it. */
export async function withSpending<Outcome extends object>(
  ground: Ground,
  processes: readonly Process[],
  work: () => Promise<Outcome>,
): Promise<Spent<Outcome>> {
  const server = await ground.postgres.pid();
  const look = async () => ({
    shop: await processorSeconds(...processes.map(({ pid }) => pid)),
    postgres: await processorSeconds(server),
    load: ownProcessorMs() / 1_000,
    elapsed: performance.now() / 1_000,
  });
  const before = await look();
  const outcome = await work();
  const after = await look();
  const spent = {
    shop: after.shop - before.shop,
    postgres: after.postgres - before.postgres,
    load: after.load - before.load,
    elapsed: after.elapsed - before.elapsed,
  };
  return { ...outcome, spent };
}
