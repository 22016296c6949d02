import * as fc from 'fast-check';
import { deliverySteps, relayLooks, runAllJobs } from './delivery-steps.js';
import { Model } from './model.js';
import { operatorSteps, replayAll, resumeAll } from './operator-steps.js';
import type { ModelShop } from './shop.js';
import { shopSteps } from './shop-steps.js';
import { type Step, same } from './step.js';

/** More rounds than any line is long. */
const ROUNDS_MAX = 40;

/**
 * Of any length up to that: without this bias most of them would be too short for anything to go wrong.
 * @param replayPath that of a shortened history, as fast-check has printed it
 */
export function histories(maxCommands: number, replayPath?: string): fc.Arbitrary<Iterable<Step>> {
  const steps = [...shopSteps, ...deliverySteps, ...operatorSteps];
  return fc.noBias(fc.commands(steps, { maxCommands, size: 'max', ...(replayPath && { replayPath }) }));
}

/** The shop did something else than its model. */
export class Difference extends Error {
  override readonly name = 'Difference';

  constructor(
    readonly story: readonly string[],
    cause: unknown,
  ) {
    super(['The shop differs from its model after this history:', ...story].join('\n'), { cause });
  }
}

/** Plays a history from the beginning, and then lets everything come to its end. */
export async function play(history: Iterable<Step>, shop: ModelShop): Promise<void> {
  const model = new Model();
  await shop.reset();
  try {
    await fc.asyncModelRun(() => ({ model, real: shop }), history);
    model.story.push('everything comes to rest');
    await comeToRest(model, shop);
  } catch (error) {
    throw new Difference(model.story, error);
  }
}

/** However badly it went, nothing is lost, and nothing has happened twice. */
async function comeToRest(model: Model, shop: ModelShop): Promise<void> {
  await shop.look();
  await shop.leasesEnd();
  model.deliveries.leasesEnd();
  await resumeAll(model, shop);
  for (let round = 1; model.deliveries.all.some(({ state }) => state !== 'done'); round += 1) {
    if (round > ROUNDS_MAX) throw new Error('The shop does not come to rest');
    // What has used up its attempts may die once more, and then gets new ones.
    if (model.deliveries.all.some(({ state }) => state === 'dead' || state === 'skipped')) await replayAll(model, shop);
    await relayLooks(model, shop);
    await runAllJobs(model, shop);
  }
  await replayAll(model, shop);
  same(await shop.look(), model.picture());
  same(await shop.violations(), {});
}
