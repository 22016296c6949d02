import * as fc from 'fast-check';
import { Conductor } from './conductor.js';
import type { ModelShop } from './shop.js';
import { answers, same } from './step.js';

/** More rounds than any line is long. */
const ROUNDS_MAX = 20;

export type Play = (conductor: Conductor) => Promise<void>;

/** A play in orders that fast-check chooses. However it ends, all is well in the shop afterwards. */
export function inAnyOrder(shop: ModelShop, play: Play): fc.IAsyncProperty<[fc.Scheduler]> {
  return fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    await shop.reset();
    await play(new Conductor(shop, scheduler));
    await comeToRest(shop);
    same(await shop.violations(), {});
    same(await heardTooOften(shop), []);
  });
}

async function comeToRest(shop: ModelShop): Promise<void> {
  const everything = { filter: {}, preview: false, reason: 'The operator says so' };
  await shop.leasesEnd();
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    answers(await shop.ask('operations/deliveries/replay', everything), { status: 200 });
    await shop.timePasses();
    await shop.relay();
    await shop.look();
    for (const job of shop.jobs) await shop.run(shop.take(job));
    if ((await shop.sql(`SELECT FROM backbone.delivery WHERE state <> 'done'`)).length === 0) return;
  }
  throw new Error('The shop does not come to rest');
}

/** What a later reaction does to its rows, it does once. */
function heardTooOften(shop: ModelShop): Promise<unknown[]> {
  return shop.sql(`
    SELECT order_id, heard FROM sales.sale
     WHERE cardinality(string_to_array(heard, ', ')) <> (
       SELECT count(*) FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
        WHERE d.subscriber LIKE 'sales.%' AND e.subject = 'order/' || order_id)`);
}
