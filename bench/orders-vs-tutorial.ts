import type { Bench } from './support/benchmark.js';
import { type LoadOutcome, latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { ORDERLY, TUTORIAL } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { type Spent, withSpending } from './support/spending.js';
import { median, rounded } from './support/statistics.js';

const CLIENTS = 16;
const REACH = { atLeast: 2 };
const SECONDS = 2;

/** The same load on the pattern that tutorials teach, which has no event log, no deliveries and no keys to write. */
export async function ordersVsTutorial({ ground, rounds: count }: Bench): Promise<Row[]> {
  const shops = { ours: await Shop.open(ground, ORDERLY), theirs: await Shop.open(ground, TUTORIAL) };
  const at = ({ url, process }: Shop) =>
    withSpending(ground, [process], () =>
      load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 }),
    );
  const { ours, theirs } = await rounds(count, {
    ours: async () => {
      const outcome = await at(shops.ours);
      await shops.ours.forgetDeliveries();
      return outcome;
    },
    theirs: () => at(shops.theirs),
  });
  for (const shop of Object.values(shops)) await shop.close();
  return [
    compare({
      name: `orders-vs-tutorial, ${CLIENTS} clients`,
      what: 'POST /v1/orders, one line; the same to the tutorial pattern',
      unit: 'orders/s',
      ours: ours.map(({ perSecond }) => perSecond),
      theirs: theirs.map(({ perSecond }) => perSecond),
      reach: REACH,
      details: {
        ...latenciesOf(ours),
        theirP50Ms: rounded(median(theirs.map(({ p50 }) => p50))),
        shopMs: anOrderTakes('shop', ours),
        theirShopMs: anOrderTakes('shop', theirs),
        postgresMs: anOrderTakes('postgres', ours),
        theirPostgresMs: anOrderTakes('postgres', theirs),
        loadMs: anOrderTakes('load', ours),
      },
    }),
  ];
}

/** Milliseconds of processor time. */
function anOrderTakes(who: 'shop' | 'postgres' | 'load', outcomes: readonly Spent<LoadOutcome>[]): number {
  return rounded(median(outcomes.map(({ spent, perSecond }) => (1_000 * spent[who]) / spent.elapsed / perSecond)));
}
