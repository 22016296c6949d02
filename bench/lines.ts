import type { Bench } from './support/benchmark.js';
import { ordersOf, skusOf } from './support/catalogue.js';
import { anyOf, latenciesOf, load } from './support/load.js';
import { ORDERLY } from './support/programs.js';
import { post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';

const CLIENTS = 8;
/** So many that orders with many lines seldom lock the same products. */
const SKUS = skusOf(10_000);
/** Largest allowed time of an additional line, divided by the time of an order of one line. */
const TARGET = { atMost: 0.02 };
const SECONDS = 1.5;

/** The time of each additional order line, divided by the time of an order of one line. */
export async function lines({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const shop = await Shop.open(testBed, ORDERLY, SKUS);
  const measure = (lines: number) => {
    const next = anyOf(ordersOf(lines, SKUS).map((order) => post('/v1/orders', order)));
    return async () => {
      const outcome = await load({ urls: [shop.url], clients: CLIENTS, seconds: SECONDS, next, expects: 201 });
      await shop.deletePendingWork();
      return outcome;
    };
  };
  const measured = await rounds(count, { 1: measure(1), 5: measure(5), 20: measure(20), 100: measure(100) });
  await shop.close();
  const timesOf = (lines: keyof typeof measured) => measured[lines].map(({ perSecond }) => 1_000 / perSecond);
  const base = timesOf(1);
  return ([5, 20, 100] as const).map((lines) => {
    const added = timesOf(lines).map((time, round) => (time - (base[round] ?? 0)) / (lines - 1));
    return compare({
      name: `lines, ${lines} per order`,
      description: 'time of each additional line; time of an order of one line',
      unit: 'ms',
      ours: added,
      theirs: base,
      target: TARGET,
      details: latenciesOf(measured[lines]),
    });
  });
}
