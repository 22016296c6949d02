import * as fc from 'fast-check';
import { Interleaving } from './interleaving.js';
import type { ModelShop } from './shop.js';
import { expectAnswer, expectSame } from './step.js';

/** More rounds than any partition has deliveries. */
const ROUNDS_MAX = 20;

export type Scenario = (interleaving: Interleaving) => Promise<void>;

/**
 * Runs a scenario under schedules that fast-check chooses. Afterwards all work can be completed, and all invariants
 * hold.
 */
export function underAnySchedule(shop: ModelShop, scenario: Scenario): fc.IAsyncProperty<[fc.Scheduler]> {
  return fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    await shop.reset();
    await scenario(new Interleaving(shop, scheduler));
    await completeAllWork(shop);
    expectSame(await shop.violations(), {});
    expectSame(await wrongEffects(shop), []);
  });
}

async function completeAllWork(shop: ModelShop): Promise<void> {
  const everything = { filter: {}, preview: false, reason: 'Model test' };
  await shop.expireLeases();
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    expectAnswer(await shop.ask('operations/deliveries/replay', everything), { status: 200 });
    await shop.makeAllDue();
    await shop.relay();
    await shop.readState();
    for (const job of shop.jobs) await shop.run(shop.take(job));
    if ((await shop.sql(`SELECT FROM backbone.delivery WHERE state <> 'done'`)).length === 0) return;
  }
  throw new Error('Deliveries are still not done after the last round');
}

/** Orders whose later reactions have had more or fewer effects than deliveries. */
function wrongEffects(shop: ModelShop): Promise<unknown[]> {
  return shop.sql(`
    SELECT order_id, effects FROM sales.sale
     WHERE cardinality(string_to_array(effects, ', ')) <> (
       SELECT count(*) FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
        WHERE d.subscriber LIKE 'sales.%' AND e.subject = 'order/' || order_id)`);
}
