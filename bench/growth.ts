import { drainFromBacklog, startCourier } from './deliveries.js';
import { grownShops } from './grown-shops.js';
import type { Bench } from './support/benchmark.js';
import { anyOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { get } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Row, type Target } from './support/row.js';
import type { Shop } from './support/shop.js';
import type { TestBed } from './support/test-bed.js';
import { warmUp } from './support/warm-up.js';

const CLIENTS = 16;
/** Deliveries with jobs in the queue, so that workers need not wait for the relay. */
const BACKLOG = 10_000;
/** Compared with an empty shop, writes may be a tenth slower and reads a quarter. */
const WRITES = { atLeast: 0.9 };
const READS = { atLeast: 0.75 };

const STATES = {
  thousand: '1,000 orders stored',
  million: '1,000,000 orders stored',
  backlog: '1,000,000 deliveries pending',
} as const;

const LISTS = ['/v1/orders?limit=50', '/v1/orders?limit=50&status=confirmed', '/v1/products?limit=50'];
const PLACING = { next: placing, seconds: 1.5, expects: 201 };
const LISTING = { next: anyOf(LISTS.map((path) => get(path))), seconds: 0.75, expects: 200 };

/** Prepares the measurement of one kind of work in a shop. The returned function measures the rate per second. */
type RateIn = (shop: Shop) => () => Promise<number>;

/** Orders, lists and deliveries per second in a shop with stored rows, divided by those in an empty shop. */
export async function growth({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const shops = await grownShops(testBed);
  for (const shop of Object.values(shops)) await warmUp(shop);
  const rowsOf = async (kind: string, target: Target, rateIn: RateIn) => {
    const { empty, ...grown } = await rounds(count, {
      empty: rateIn(shops.empty),
      thousand: rateIn(shops.thousand),
      million: rateIn(shops.million),
      backlog: rateIn(shops.backlog),
    });
    return Object.entries(STATES).map(([state, name]) =>
      compare({
        name: `growth, ${kind}, ${name}`,
        description: `${kind} per second; in an empty shop`,
        unit: 'per second',
        ours: grown[state as keyof typeof STATES],
        theirs: empty,
        target,
      }),
    );
  };
  const rows = [
    ...(await rowsOf('orders', WRITES, (shop) => () => rateOf(shop, PLACING))),
    ...(await rowsOf('lists', READS, (shop) => () => rateOf(shop, LISTING))),
    ...(await rowsOf('deliveries', WRITES, (shop) => delivering(testBed, shop))),
  ];
  for (const shop of Object.values(shops)) await shop.close();
  return rows;
}

async function rateOf({ url }: Shop, requests: typeof PLACING): Promise<number> {
  const { perSecond } = await load({ urls: [url], clients: CLIENTS, ...requests });
  return perSecond;
}

function delivering(testBed: TestBed, { database }: Shop): () => Promise<number> {
  const drain = drainFromBacklog(startCourier(testBed, database), BACKLOG);
  return async () => (await drain()).perSecond;
}
