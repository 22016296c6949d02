import { randomUUID } from 'node:crypto';
import { RetentionRunner } from '../common/retention/retention.js';
import { ProductListed } from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrdersModule } from './orders.module.js';

let orders: ModuleStage;

beforeAll(async () => {
  orders = await ModuleStage.of(OrdersModule);
  await orders.receive(ProductListed({ sku: 'TEA', name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }));
});

afterAll(() => orders.close());

const shippingAddress = { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' };
const anOrder = (quantity = 2) => ({
  customer: { name: 'Paul Henriot', email: 'paul@customer.example' },
  shippingAddress,
  lines: [{ sku: 'TEA', quantity }],
});

const place = (key: string, order: object = anOrder()) => orders.post('/v1/orders', order, { 'idempotency-key': key });
const stored = async () => (await orders.query<{ n: number }>('SELECT count(*)::integer AS n FROM orders.order'))[0]?.n;

test('a repeated request gets the first response, and places no order', async () => {
  const key = randomUUID();
  const first = await place(key);
  const count = await stored();
  await orders.post(`/v1/orders/${first.body.id}/cancellation`, { reason: 'changed plans' });

  const again = await place(key);

  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(JSON.stringify(again.body)).toBe(JSON.stringify(first.body));
  expect(again.headers).toMatchObject({ location: first.headers.location, 'idempotent-replayed': 'true' });
  expect(first.headers).not.toHaveProperty('idempotent-replayed');
  expect(await stored()).toBe(count);
});

test('another sequence of fields, or quotes around the key, is the same request', async () => {
  const key = randomUUID();
  const { customer, lines } = anOrder();
  const first = await place(key, { customer, shippingAddress, lines });

  expect(await place(`"${key}"`, { lines, shippingAddress, customer })).toMatchObject({ body: first.body });
});

test('a key that another request has used is refused', async () => {
  const key = randomUUID();
  await place(key, anOrder(1));
  const count = await stored();

  const other = await place(key, anOrder(2));

  expect(other).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
  expect(await stored()).toBe(count);
});

test.each(['', ' ', 'a b', 'ü', 'k'.repeat(256), '"', 'a"b'])('the key %j is refused', async (key) => {
  const count = await stored();

  expect(await place(key)).toMatchObject({ status: 400, body: { code: 'idempotency-key-malformed' } });
  expect(await stored()).toBe(count);
});

test('a refused request does not use up its key', async () => {
  const key = randomUUID();
  expect(await place(key, anOrder(0))).toMatchObject({ status: 400 });
  expect(await place(key, { ...anOrder(), lines: [{ sku: 'NOTHING', quantity: 1 }] })).toMatchObject({ status: 422 });

  expect(await place(key)).toMatchObject({ status: 201 });
});

test('of twenty concurrent requests with one key, one places an order, and all responses show that order', async () => {
  const key = randomUUID();
  const count = (await stored()) ?? 0;

  const answers = await Promise.all(Array.from({ length: 20 }, () => place(key)));

  const running = answers.filter(({ status }) => status === 409);
  const placed = answers.filter(({ status }) => status === 201);
  expect(running.length + placed.length).toBe(20);
  for (const { body, headers } of running) {
    expect(body.code).toBe('request-still-running');
    expect(headers['retry-after']).toBe('1');
  }
  expect(new Set(placed.map(({ body }) => body.id)).size).toBe(1);
  expect(await stored()).toBe(count + 1);
});

test('keys are deleted after a day, and not before', async () => {
  const [old, young] = [randomUUID(), randomUUID()];
  const first = await place(old);
  const second = await place(young);
  const age = `UPDATE backbone.idempotency_key SET created_at = clock_timestamp() - $2::interval WHERE key = $1`;
  await orders.query(age, [old, '24 hours 1 minute']);
  await orders.query(age, [young, '23 hours 59 minutes']);

  expect(await orders.app.get(RetentionRunner).prune()).toMatchObject({ 'idempotency keys': 1 });

  expect((await place(young)).body.id).toBe(second.body.id);
  expect((await place(old)).body.id).not.toBe(first.body.id);
});

test('a request with the key of a request that has not committed is refused as still running', async () => {
  const key = randomUUID();
  await orders.query('CREATE TABLE IF NOT EXISTS gate ()');
  await orders.query(`CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN LOCK TABLE gate IN SHARE MODE; RETURN NEW; END $$`);
  await orders.query(`CREATE TRIGGER gate BEFORE INSERT ON orders.order FOR EACH ROW EXECUTE FUNCTION wait_at_gate()`);
  const { dataSource } = orders;
  const keeper = dataSource.createQueryRunner();
  await keeper.startTransaction();
  await keeper.query('LOCK TABLE gate IN ACCESS EXCLUSIVE MODE');
  const first = place(key);
  await waiting();

  const second = await place(key);
  await keeper.commitTransaction();
  await keeper.release();

  expect(second).toMatchObject({ status: 409, body: { code: 'request-still-running' } });
  const { status, body } = await first;
  expect(status).toBe(201);
  expect(await place(key)).toMatchObject({ status: 201, body: { id: body.id } });
  await orders.query('DROP TRIGGER gate ON orders.order');
});

/** Waits until a transaction waits for the lock on `gate`. */
async function waiting(): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const rows = await orders.query(`SELECT FROM pg_locks WHERE relation = 'gate'::regclass AND NOT granted`);
    if (rows.length > 0) return;
  }
  throw new Error('No transaction waits for the gate');
}
