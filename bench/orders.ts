import type { Bench } from './support/benchmark.js';
import { ordersOf } from './support/catalogue.js';
import { type Limit, limitOf } from './support/limit.js';
import { anyOf, latenciesOf, load } from './support/load.js';
import { hasPgbench, WHERE_PGBENCH_IS } from './support/pgbench.js';
import { ORDERLY } from './support/programs.js';
import { post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, notMeasured, type Row } from './support/row.js';
import { Shop } from './support/shop.js';

const CLIENTS = [1, 8, 16, 32];
/** At these the shop has to reach a share of the limit; at the others the ratio only informs. */
const JUDGED = 16;
const REACH = { atLeast: 0.4 };
const SECONDS = 2;
/** Where the ratio only informs. */
const SHORTER = 1;

const ORDERS = ordersOf(1);
const next = anyOf(ORDERS.map((order) => post('/v1/orders', order)));
let sent = 0;
const withKey = () =>
  post('/v1/orders', ORDERS[(sent += 1) % ORDERS.length] ?? {}, { 'idempotency-key': `bench-${process.pid}-${sent}` });

/** Orders a second over HTTP, by what the database could do if there were nothing but its part of the work. */
export async function orders({ ground, rounds: count }: Bench): Promise<Row[]> {
  if (!hasPgbench) return [notMeasured('orders', WHERE_PGBENCH_IS)];
  const shop = await Shop.open(ground, ORDERLY);
  const limit = await limitOf(shop, ground);
  const rows: Row[] = [];
  for (const clients of CLIENTS) {
    const seconds = clients === JUDGED ? SECONDS : SHORTER;
    const measured = await against(limit, { shop, url: shop.url, clients, seconds, count });
    const { statements, roundTrips } = limit;
    const name = `orders, ${clients} clients`;
    const what = 'POST /v1/orders, one line; the SQL of one order by pgbench';
    const reach = clients === JUDGED ? { reach: REACH } : {};
    rows.push(compare({ name, what, ...measured, ...reach, details: { ...measured.details, statements, roundTrips } }));
  }
  rows.push(await keyed(shop, count));
  const { url } = await shop.start({ WORKERS: 'on' });
  const measured = await against(limit, { shop, url, clients: JUDGED, seconds: SHORTER, count });
  const what = 'the same while the same process sends the mails, to its mailbox';
  rows.push(compare({ name: `orders and mails, ${JUDGED} clients`, what, ...measured }));
  await shop.close();
  return rows;
}

/** What it costs that an order is placed once, however often it is sent. */
async function keyed(shop: Shop, count: number): Promise<Row> {
  const of = (make: () => Buffer) => () =>
    fresh(shop, () => load({ urls: [shop.url], clients: JUDGED, seconds: SHORTER, next: make, expects: 201 }));
  const { ours, theirs } = await rounds(count, { ours: of(withKey), theirs: of(next) });
  return compare({
    name: `orders with a key, ${JUDGED} clients`,
    what: 'each with an Idempotency-Key of its own; without one',
    unit: 'orders/s',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
    details: latenciesOf(ours),
  });
}

interface Load {
  readonly shop: Shop;
  readonly url: string;
  readonly clients: number;
  readonly seconds: number;
  readonly count: number;
}

async function against({ pgbench }: Limit, { shop, url, clients, seconds, count }: Load) {
  const { ours, theirs } = await rounds(count, {
    ours: () => fresh(shop, () => load({ urls: [url], clients, seconds, next, expects: 201 })),
    theirs: () => fresh(shop, () => pgbench.load(clients, seconds)),
  });
  return {
    unit: 'orders/s',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
    details: latenciesOf(ours),
  };
}

/** What was left to be done by one measurement is not the next one's. */
async function fresh<Result>(shop: Shop, measure: () => Promise<Result>): Promise<Result> {
  const result = await measure();
  await shop.forgetDeliveries();
  return result;
}
