import { keptFull, startCourier } from './deliveries.js';
import { grownShops } from './grown-shops.js';
import type { Bench } from './support/benchmark.js';
import type { Ground } from './support/ground.js';
import { anyOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { get } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Reach, type Row } from './support/row.js';
import type { Shop } from './support/shop.js';
import { warmUp } from './support/warm-up.js';

const CLIENTS = 16;
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

const LISTS = ['/v1/orders?limit=50', '/v1/orders?limit=50&status=confirmed', '/v1/products?limit=50'];
const PLACING = { next: placing, seconds: 1.5, expects: 201 };
const LISTING = { next: anyOf(LISTS.map((path) => get(path))), seconds: 0.75, expects: 200 };

/** Starts to measure one kind of work in a shop, at so many a second. */
type RateIn = (shop: Shop) => () => Promise<number>;

/** Orders, lists and deliveries a second in a shop with a past, by those in one without. */
export async function growth({ ground, rounds: count }: Bench): Promise<Row[]> {
  const shops = await grownShops(ground);
  for (const shop of Object.values(shops)) await warmUp(shop);
  const rowsOf = async (kind: string, reach: Reach, rateIn: RateIn) => {
    const { empty, ...grown } = await rounds(count, {
      empty: rateIn(shops.empty),
      thousand: rateIn(shops.thousand),
      million: rateIn(shops.million),
      backlog: rateIn(shops.backlog),
    });
    return Object.entries(STATES).map(([state, name]) =>
      compare({
        name: `growth, ${kind}, ${name}`,
        what: `${kind} a second; in an empty shop`,
        unit: 'a second',
        ours: grown[state as keyof typeof STATES],
        theirs: empty,
        reach,
      }),
    );
  };
  const rows = [
    ...(await rowsOf('orders', WRITES, (shop) => () => rateOf(shop, PLACING))),
    ...(await rowsOf('lists', READS, (shop) => () => rateOf(shop, LISTING))),
    ...(await rowsOf('deliveries', WRITES, (shop) => delivering(ground, shop))),
  ];
  for (const shop of Object.values(shops)) await shop.close();
  return rows;
}

async function rateOf({ url }: Shop, asking: typeof PLACING): Promise<number> {
  const { perSecond } = await load({ urls: [url], clients: CLIENTS, ...asking });
  return perSecond;
}

function delivering(ground: Ground, { database }: Shop): () => Promise<number> {
  const drain = keptFull(startCourier(ground, database), BACKLOG);
  return async () => (await drain()).perSecond;
}
