import { startCourier } from './deliveries.js';
import { grownShops } from './grown-shops.js';
import type { Bench } from './support/benchmark.js';
import { ordersOf } from './support/catalogue.js';
import { anyOf, load } from './support/load.js';
import { get, post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import type { Shop } from './support/shop.js';

const CLIENTS = 16;
const SECONDS = 1;
/** Deliveries that wait in the queue, so that nobody waits for the relay to find some. */
const BACKLOG = 10_000;
/** Writes may lose a tenth and reads a quarter of what they do in an empty shop. */
const WRITES = { atLeast: 0.9 };
const READS = { atLeast: 0.75 };

const STATES = {
  thousand: '1,000 orders stored',
  million: '1,000,000 orders stored',
  backlog: '1,000,000 deliveries pending',
} as const;

const placing = anyOf(ordersOf(1).map((order) => post('/v1/orders', order)));
const listing = anyOf(
  ['/v1/orders?limit=50', '/v1/orders?limit=50&status=confirmed', '/v1/products?limit=50'].map((path) => get(path)),
);

interface Rates {
  readonly orders: number;
  readonly lists: number;
  readonly deliveries: number;
}

/** Orders, deliveries and lists a second in a shop with a past, by those in one without. */
export async function growth({ ground, rounds: count }: Bench): Promise<Row[]> {
  const shops = await grownShops(ground);
  const ratesOf = async (shop: Shop): Promise<() => Promise<Rates>> => {
    const courier = startCourier(ground, shop.database);
    let missing = BACKLOG;
    return async () => {
      const orders = await rateOf(shop, placing, 201);
      const lists = await rateOf(shop, listing, 200);
      await courier.ask('fill', missing);
      const { perSecond, done } = await courier.ask('drain', SECONDS);
      missing = Math.min(done, BACKLOG);
      return { orders, lists, deliveries: perSecond };
    };
  };
  const measured = await rounds(count, {
    empty: await ratesOf(shops.empty),
    thousand: await ratesOf(shops.thousand),
    million: await ratesOf(shops.million),
    backlog: await ratesOf(shops.backlog),
  });
  for (const shop of Object.values(shops)) await shop.close();
  const kinds = { orders: WRITES, deliveries: WRITES, lists: READS } as const;
  return Object.entries(STATES).flatMap(([state, name]) =>
    Object.entries(kinds).map(([kind, reach]) =>
      compare({
        name: `growth, ${kind}, ${name}`,
        what: `${kind} a second; in an empty shop`,
        unit: 'a second',
        ours: measured[state as keyof typeof STATES].map((rates) => rates[kind as keyof Rates]),
        theirs: measured.empty.map((rates) => rates[kind as keyof Rates]),
        reach,
      }),
    ),
  );
}

async function rateOf({ url }: Shop, next: () => Buffer, expects: number): Promise<number> {
  const { perSecond } = await load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next, expects });
  return perSecond;
}
