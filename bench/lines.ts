import type { Bench } from './support/benchmark.js';
import { ordersOf, skusOf } from './support/catalogue.js';
import { anyOf, latenciesOf, load } from './support/load.js';
import { ORDERLY } from './support/programs.js';
import { post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';

const CLIENTS = 8;
/** So many that long orders seldom wait for each other's products. */
const SKUS = skusOf(10_000);
/** What a further line may cost, by an order of one line. */
const REACH = { atMost: 0.02 };
const SECONDS = 1.5;

/** What a further line costs: the machine's time for an order of many lines, by its time for one of one line. */
export async function lines({ ground, rounds: count }: Bench): Promise<Row[]> {
  const shop = await Shop.open(ground, ORDERLY, SKUS);
  const of = (lines: number) => {
    const next = anyOf(ordersOf(lines, SKUS).map((order) => post('/v1/orders', order)));
    return async () => {
      const outcome = await load({ urls: [shop.url], clients: CLIENTS, seconds: SECONDS, next, expects: 201 });
      await shop.forgetDeliveries();
      return outcome;
    };
  };
  const measured = await rounds(count, { 1: of(1), 5: of(5), 20: of(20), 100: of(100) });
  await shop.close();
  const timesOf = (lines: keyof typeof measured) => measured[lines].map(({ perSecond }) => 1_000 / perSecond);
  const base = timesOf(1);
  return ([5, 20, 100] as const).map((lines) => {
    const added = timesOf(lines).map((time, round) => (time - (base[round] ?? 0)) / (lines - 1));
    return compare({
      name: `lines, ${lines} in an order`,
      what: 'what each added line takes; an order of one line',
      unit: 'ms',
      ours: added,
      theirs: base,
      reach: REACH,
      details: latenciesOf(measured[lines]),
    });
  });
}
