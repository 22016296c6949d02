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
const TARGET = { atLeast: 2 };
const SECONDS = 2;

/** The same load on the tutorial pattern, which writes no event log, no deliveries and no idempotency keys. */
export async function ordersVsTutorial({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const shops = { ours: await Shop.open(testBed, ORDERLY), theirs: await Shop.open(testBed, TUTORIAL) };
  const measure = ({ url, process }: Shop) =>
    withSpending(testBed, [process], () =>
      load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 }),
    );
  const { ours, theirs } = await rounds(count, {
    ours: async () => {
      const outcome = await measure(shops.ours);
      await shops.ours.deletePendingWork();
      return outcome;
    },
    theirs: () => measure(shops.theirs),
  });
  for (const shop of Object.values(shops)) await shop.close();
  return [
    compare({
      name: `orders-vs-tutorial, ${CLIENTS} clients`,
      description: 'POST /v1/orders, one line; the same request to the tutorial pattern',
      unit: 'orders/s',
      ours: ours.map(({ perSecond }) => perSecond),
      theirs: theirs.map(({ perSecond }) => perSecond),
      target: TARGET,
      details: {
        ...latenciesOf(ours),
        theirP50Ms: rounded(median(theirs.map(({ p50 }) => p50))),
        shopMs: processorMsPerOrder('shop', ours),
        theirShopMs: processorMsPerOrder('shop', theirs),
        postgresMs: processorMsPerOrder('postgres', ours),
        theirPostgresMs: processorMsPerOrder('postgres', theirs),
        loadMs: processorMsPerOrder('load', ours),
      },
    }),
  ];
}

/** Processor time of one part of the system for each order. */
function processorMsPerOrder(part: 'shop' | 'postgres' | 'load', outcomes: readonly Spent<LoadOutcome>[]): number {
  return rounded(median(outcomes.map(({ spent, perSecond }) => (1_000 * spent[part]) / spent.elapsed / perSecond)));
}
