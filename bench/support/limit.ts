import { isDeepStrictEqual } from 'node:util';
import { anOrder, SKUS } from './catalogue.js';
import { Client } from './client.js';
import type { Database } from './database.js';
import { Pgbench } from './pgbench.js';
import { Recorder } from './recorder.js';
import { post } from './request.js';
import { type Pair, scriptOf } from './script.js';
import type { Shop } from './shop.js';
import type { Statement } from './statement.js';
import type { TestBed } from './test-bed.js';

/** Enough to open connections, compile code and prepare statements. */
const WARM_UP_ORDERS = 50;
const TRIES_MAX = 20;
const SKU = SKUS[0] ?? '';

/** The work of one order in the database, as a pgbench script. */
export interface Limit {
  readonly pgbench: Pgbench;
  /** Statements of one order, BEGIN and COMMIT included. */
  readonly statements: number;
  /** How often an order waits for an answer of the database. */
  readonly roundTrips: number;
}

/**
 * Records the statements of an order, and creates a pgbench script that sends the same.
 * @throws {Error} when the script changes other rows than an order does
 */
export async function limitOf(shop: Shop, testBed: TestBed): Promise<Limit> {
  const { database } = shop;
  const recorder = await Recorder.inFrontOf(database.url);
  testBed.atEnd(() => recorder.stop());
  const process = await shop.start({ DATABASE_URL: recorder.url });
  const client = await Client.connect(process.url);
  try {
    const place = () => placeOrder(client);
    for (let nr = 0; nr < WARM_UP_ORDERS; nr += 1) await place();
    const pair = await equalPair(() => recorder.during(place));
    const script = await scriptOf(pair, SKU, database);
    const pgbench = await Pgbench.with(script, database, testBed.folder);
    await assertSameWork(database, place, () => pgbench.once());
    const roundTrips = pair.one.filter(({ isPipelined }) => !isPipelined).length;
    return { pgbench, statements: pair.one.length, roundTrips };
  } finally {
    client.close();
    await process.stop();
    await recorder.stop();
  }
}

async function placeOrder(client: Client): Promise<void> {
  const { status, body } = await client.send(post('/v1/orders', anOrder([{ sku: SKU, quantity: 1 }])));
  const order: { readonly status?: string } = JSON.parse(body);
  if (status !== 201 || order.status !== 'confirmed') throw new Error(`Not confirmed: ${body}`);
}

/** Records until two consecutive orders send the same statements: background tasks of the shop send some in between. */
async function equalPair(record: () => Promise<readonly Statement[]>): Promise<Pair> {
  let one = await record();
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const other = await record();
    if (isDeepStrictEqual(shapeOf(one), shapeOf(other))) return { one, other };
    one = other;
  }
  throw new Error('No two consecutive orders sent the same statements');
}

function shapeOf(statements: readonly Statement[]): string[] {
  return statements.map(({ sql, isPipelined }) => `${isPipelined} ${sql}`);
}

async function assertSameWork(database: Database, ...works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const changes: object[] = [];
  for (const work of works) {
    const before = await contentOf(database);
    await work();
    const after = await contentOf(database);
    const names = Object.keys(after).filter((name) => after[name] !== before[name]);
    changes.push(Object.fromEntries(names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])));
  }
  const [ours, theirs] = changes;
  if (!isDeepStrictEqual(ours, theirs))
    throw new Error(
      `pgbench changes other rows than an order: ${JSON.stringify(theirs)} instead of ${JSON.stringify(ours)}`,
    );
}

/**
 * The number of rows of each table, reserved units, confirmed orders, versions of events and partitions of deliveries.
 */
async function contentOf(database: Database): Promise<Record<string, number>> {
  const [{ counts } = { counts: '' }] = await database.sql<{ counts: string }>(
    `SELECT string_agg(format('SELECT ''%1$s'' AS name, count(*)::integer AS rows FROM %1$s', relid::regclass), ' UNION ALL ') AS counts
       FROM pg_stat_user_tables`,
  );
  const tables = await database.sql<{ name: string; rows: number }>(counts);
  return {
    ...Object.fromEntries(tables.map(({ name, rows }) => [name, rows])),
    reserved: await database.number('SELECT sum(reserved) FROM inventory.stock'),
    confirmed: await database.number(`SELECT count(*) FROM orders."order" WHERE status = 'confirmed'`),
    versions: await database.number(`SELECT sum(version) FROM backbone.event WHERE type LIKE 'orders.%'`),
    partitions: await database.number('SELECT count(DISTINCT order_key) FROM backbone.delivery'),
  };
}
