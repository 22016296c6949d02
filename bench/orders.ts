import type { Bench } from './support/benchmark.js';
import { ordersOf } from './support/catalogue.js';
import { type Limit, limitOf } from './support/limit.js';
import { anyOf, latenciesOf, load } from './support/load.js';
import { hasPgbench, PGBENCH_MISSING } from './support/pgbench.js';
import { ORDERLY } from './support/programs.js';
import { post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, notMeasured, type Row } from './support/row.js';
import { Shop } from './support/shop.js';

const CLIENTS = [1, 8, 16, 32];
/** Only the row with this number of clients has a target; the others are for information. */
const TARGET_CLIENTS = 16;
const TARGET = { atLeast: 0.4 };
const SECONDS = 2;
/** Duration of the rows without a target. */
const SHORT_SECONDS = 1;

const ORDERS = ordersOf(1);
const next = anyOf(ORDERS.map((order) => post('/v1/orders', order)));
let sent = 0;
const withKey = () =>
  post('/v1/orders', ORDERS[(sent += 1) % ORDERS.length] ?? {}, { 'idempotency-key': `bench-${process.pid}-${sent}` });

/** Orders per second over HTTP, divided by the limit of the database: the SQL of an order, replayed by pgbench. */
export async function orders({ testBed, rounds: count }: Bench): Promise<Row[]> {
  if (!hasPgbench) return [notMeasured('orders', PGBENCH_MISSING)];
  const shop = await Shop.open(testBed, ORDERLY);
  const limit = await limitOf(shop, testBed);
  const rows: Row[] = [];
  for (const clients of CLIENTS) {
    const seconds = clients === TARGET_CLIENTS ? SECONDS : SHORT_SECONDS;
    const measured = await compareWithLimit(limit, { shop, url: shop.url, clients, seconds, count });
    const { statements, roundTrips } = limit;
    const name = `orders, ${clients} ${clients === 1 ? 'client' : 'clients'}`;
    const description = 'POST /v1/orders, one line; the SQL of one order by pgbench';
    const target = clients === TARGET_CLIENTS ? { target: TARGET } : {};
    rows.push(
      compare({ name, description, ...measured, ...target, details: { ...measured.details, statements, roundTrips } }),
    );
  }
  rows.push(await keyed(shop, count));
  const { url } = await shop.start({ WORKERS: 'on' });
  const measured = await compareWithLimit(limit, { shop, url, clients: TARGET_CLIENTS, seconds: SHORT_SECONDS, count });
  const description =
    'the same while the same process sends the e-mails, to its mailbox; the SQL of one order by pgbench';
  rows.push(compare({ name: `orders and e-mails, ${TARGET_CLIENTS} clients`, description, ...measured }));
  await shop.close();
  return rows;
}

/** The cost of an idempotency key. */
async function keyed(shop: Shop, count: number): Promise<Row> {
  const measure = (make: () => Buffer) => () =>
    measureThenClear(shop, () =>
      load({ urls: [shop.url], clients: TARGET_CLIENTS, seconds: SHORT_SECONDS, next: make, expects: 201 }),
    );
  const { ours, theirs } = await rounds(count, { ours: measure(withKey), theirs: measure(next) });
  return compare({
    name: `orders with a key, ${TARGET_CLIENTS} clients`,
    description: 'each with a new Idempotency-Key; without a key',
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

async function compareWithLimit({ pgbench }: Limit, { shop, url, clients, seconds, count }: Load) {
  const { ours, theirs } = await rounds(count, {
    ours: () => measureThenClear(shop, () => load({ urls: [url], clients, seconds, next, expects: 201 })),
    theirs: () => measureThenClear(shop, () => pgbench.load(clients, seconds)),
  });
  return {
    unit: 'orders/s',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
    details: latenciesOf(ours),
  };
}

/** Deletes the pending deliveries afterwards, so that they do not slow down the next measurement. */
async function measureThenClear<Result>(shop: Shop, measure: () => Promise<Result>): Promise<Result> {
  const result = await measure();
  await shop.deletePendingWork();
  return result;
}
