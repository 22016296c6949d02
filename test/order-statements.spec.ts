import type { Client, QueryConfig } from 'pg';
import { MODULES } from '../src/app.module.js';
import { poolOf } from '../src/common/database/pool.js';
import { ModuleStage } from '../src/operations/testing/module-stage.js';
import { anOrder, aProduct } from './support/words.js';

const SKUS = ['TEA', 'CUP', 'POT', 'RARE'];

/** The statements of one round trip: none waits for the answer to a previous one. */
type RoundTrip = string[];

let shop: ModuleStage;
let trips: RoundTrip[] = [];

beforeAll(async () => {
  shop = await ModuleStage.of(MODULES, { MODULE_ROLES: 'off', RECONCILE_EVERY_MINUTES: '0', BACKLOG_MAX: '0' });
  const products = SKUS.map((sku) => aProduct(sku, sku === 'RARE' ? 1 : 100));
  await shop.post('/v1/products/import', products.map((product) => JSON.stringify(product)).join('\n'));
  const watched = new WeakSet<object>();
  poolOf(shop.dataSource).on('acquire', (client) => {
    if (!watched.has(client)) watch(client);
    watched.add(client);
  });
});

afterAll(() => shop.close());

beforeEach(() => {
  trips = [];
});

/** Every test sends one request at a time, so only one client is active at a time. */
function watch(client: Client): void {
  const query: (...statement: readonly unknown[]) => Promise<unknown> = client.query.bind(client);
  let unanswered = 0;
  const answered = () => {
    unanswered -= 1;
  };
  Object.assign(client, {
    query: (statement: string | QueryConfig, ...rest: readonly unknown[]) => {
      if (unanswered === 0) trips.push([]);
      trips.at(-1)?.push(summaryOf(typeof statement === 'string' ? statement : statement.text));
      unanswered += 1;
      const callback = rest.at(-1);
      if (typeof callback !== 'function') return query(statement, ...rest).finally(answered);
      return query(statement, (...answer: readonly unknown[]) => {
        answered();
        callback(...answer);
      });
    },
  });
}

/** Identifies a statement by the first table in it, or by its verb. */
function summaryOf(sql: string): string {
  return /\b(?:orders|inventory|backbone)\.[\w"]+/.exec(sql)?.[0] ?? sql.trim().split(/\W/)[0] ?? '';
}

const ORDER = [['BEGIN', 'orders.price'], ['inventory.stock'], ['orders."order"', 'backbone.event', 'COMMIT']];

test('an order takes six statements in three round trips to PostgreSQL', async () => {
  expect(await shop.post('/v1/orders', anOrder())).toMatchObject({ status: 201, body: { status: 'confirmed' } });

  expect(trips).toEqual(ORDER);
});

test('an order with more lines takes as many', async () => {
  const lines = SKUS.slice(0, 3).map((sku) => ({ sku, quantity: 2 }));
  expect(await shop.post('/v1/orders', anOrder(lines))).toMatchObject({ status: 201, body: { status: 'confirmed' } });

  expect(trips).toEqual(ORDER);
});

test('an order that is rejected takes as many', async () => {
  const { body } = await shop.post('/v1/orders', anOrder([{ sku: 'RARE', quantity: 2 }]));
  expect(body.status).toBe('rejected');

  expect(trips).toEqual(ORDER);
});

test('an idempotency key takes two more statements and one more round trip', async () => {
  await shop.post('/v1/orders', anOrder(), { 'idempotency-key': 'once' });

  expect(trips).toEqual([
    ['BEGIN', 'backbone.idempotency_key'],
    ['orders.price'],
    ['inventory.stock'],
    ['orders."order"', 'backbone.event', 'backbone.idempotency_key', 'COMMIT'],
  ]);
});
