import * as fc from 'fast-check';
import { deliverySteps, runAllJobs, runRelay } from './delivery-steps.js';
import { Model } from './model.js';
import { operatorSteps, replayAll, resumeAll } from './operator-steps.js';
import type { ModelShop } from './shop.js';
import { shopSteps } from './shop-steps.js';
import { expectSame, type Step } from './step.js';

/** More rounds than any partition has deliveries. */
const ROUNDS_MAX = 40;

/**
 * Histories of any length up to `maxCommands`. fast-check's bias to small values is off, because short histories find
 * few bugs.
 * @param replayPath of a shrunk history, as printed by fast-check
 */
export function histories(maxCommands: number, replayPath?: string): fc.Arbitrary<Iterable<Step>> {
  const steps = [...shopSteps, ...deliverySteps, ...operatorSteps];
  return fc.noBias(fc.commands(steps, { maxCommands, size: 'max', ...(replayPath && { replayPath }) }));
}

/** The state of the shop differs from that of its model. */
export class Difference extends Error {
  override readonly name = 'Difference';

  constructor(
    readonly trace: readonly string[],
    cause: unknown,
  ) {
    super(['The shop differs from its model after this history:', ...trace].join('\n'), { cause });
  }
}

/** Runs a history in a fresh shop, and then completes all work. */
export async function runHistory(history: Iterable<Step>, shop: ModelShop): Promise<void> {
  const model = new Model();
  await shop.reset();
  try {
    await fc.asyncModelRun(() => ({ model, real: shop }), history);
    model.trace.push('complete all work');
    await completeAllWork(model, shop);
  } catch (error) {
    throw new Difference(model.trace, error);
  }
}

/** After any history, all work can be completed: nothing is lost, and nothing has happened twice. */
async function completeAllWork(model: Model, shop: ModelShop): Promise<void> {
  await shop.readState();
  await shop.expireLeases();
  model.deliveries.expireLeases();
  await resumeAll(model, shop);
  for (let round = 1; model.deliveries.all.some(({ state }) => state !== 'done'); round += 1) {
    if (round > ROUNDS_MAX) throw new Error('Deliveries are still not done after the last round');
    // A delivery that has used up its attempts may become dead once more, and is replayed again.
    if (model.deliveries.all.some(({ state }) => state === 'dead' || state === 'skipped')) await replayAll(model, shop);
    await runRelay(model, shop);
    await runAllJobs(model, shop);
  }
  await replayAll(model, shop);
  expectSame(await shop.readState(), model.state());
  expectSame(await shop.violations(), {});
}
