import { randomUUID } from 'node:crypto';
import { BackPressure } from '../backbone/back-pressure.js';
import { ProductListed } from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrdersModule } from './orders.module.js';

const BACKLOG_MAX = 10;

let stage: ModuleStage;
beforeAll(async () => {
  stage = await ModuleStage.of(OrdersModule, { BACKLOG_MAX: String(BACKLOG_MAX) });
});
afterAll(() => stage.close());
beforeEach(() => stage.query('TRUNCATE backbone.delivery, backbone.event, backbone.paused_subscriber'));

const refresh = () => stage.app.get(BackPressure).refresh();
const anOrder = (sku: string) => ({
  customer: { name: 'Paul Henriot', email: 'paul@customer.example' },
  shippingAddress: { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' },
  lines: [{ sku, quantity: 1 }],
});
/** Places an order of an unknown product: 422 when new orders are accepted, 503 when they are refused. */
const place = () => stage.post('/v1/orders', anOrder('NOTHING'));

/** Adds pending deliveries. */
async function addPending(count: number, claims = 0): Promise<void> {
  const subject = `order/${randomUUID()}`;
  await stage.query(
    `WITH made AS (
       INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, occurred_at)
       SELECT gen_random_uuid(), $1, n, 'orders.order-placed.v1', '{}', '{}', '', now() FROM generate_series(1, $2) n
       RETURNING id, position)
     INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, claims, due_at)
     SELECT id, 'notifications.emailConfirmation', 'notifications.mails ' || $1, position, $3, now() FROM made`,
    [subject, count, claims],
  );
  await refresh();
}

test('orders are accepted while the backlog is at its limit', async () => {
  await addPending(BACKLOG_MAX);
  expect((await place()).status).toBe(422);
  expect((await stage.get('/health/ready')).body).toMatchObject({ status: 'ok' });
});

test('a larger backlog refuses new orders, and nothing else, until a fifth of it is done', async () => {
  await addPending(BACKLOG_MAX + 1);

  const refused = await place();
  expect(refused).toMatchObject({ status: 503, body: { code: 'backlog-too-large' } });
  expect(refused.headers).toMatchObject({ 'retry-after': '30', 'content-type': 'application/problem+json' });
  expect((await stage.get('/v1/orders')).status).toBe(200);
  expect((await stage.post(`/v1/orders/${randomUUID()}/cancellation`, { reason: 'late' })).status).toBe(404);
  expect((await stage.post('/v1/operations/deliveries/replay', { filter: {}, preview: true })).status).toBe(200);
  const ready = await stage.get('/health/ready');
  expect(ready).toMatchObject({ status: 200, body: { status: 'degraded' } });
  expect(ready.body.checks).toContainEqual({
    name: 'backlog',
    ok: false,
    detail: `more than ${BACKLOG_MAX} deliveries are pending: new work is refused`,
  });

  const done = (position: number) =>
    stage.query(
      `UPDATE backbone.delivery SET state = 'done' WHERE event_id IN (
         SELECT event_id FROM backbone.delivery WHERE state = 'pending' ORDER BY position LIMIT $1)`,
      [position],
    );
  await done(2);
  await refresh();
  expect((await place()).status).toBe(503);
  await done(1);
  await refresh();
  expect((await place()).status).toBe(422);
});

test('a repeated request gets its order, because it adds no work', async () => {
  await stage.receive(ProductListed({ sku: 'TEA', name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }));
  const once = { 'idempotency-key': randomUUID() };
  const first = await stage.post('/v1/orders', anOrder('TEA'), once);
  await addPending(BACKLOG_MAX + 1);

  expect((await place()).status).toBe(503);
  const again = await stage.post('/v1/orders', anOrder('TEA'), once);
  expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotent-replayed': 'true' } });
});

test('failing deliveries and those of a paused subscriber do not count', async () => {
  await addPending(BACKLOG_MAX + 1, 3);
  expect((await place()).status).toBe(422);

  await stage.query(
    `INSERT INTO backbone.paused_subscriber (subscriber, reason) VALUES ('notifications.emailConfirmation', 'It moves')`,
  );
  await addPending(BACKLOG_MAX + 1);
  expect((await place()).status).toBe(422);
});

test('replayed deliveries do not count, whether they existed or are new', async () => {
  const listed = Array.from({ length: BACKLOG_MAX + 1 }, (_, number) =>
    ProductListed({ sku: `TEA-${number}`, name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }),
  );
  await stage.receiveAsDeliveries(...listed);
  await stage.query(`UPDATE backbone.delivery SET state = 'dead', attempts = 8, claims = 8`);
  const reason = 'The price list is correct again';
  const replays = {
    dead: () => stage.post('/v1/operations/deliveries/replay', { filter: {}, reason }),
    missing: () => stage.post('/v1/operations/subscriptions/orders.addPrice/replay', { reason }),
  };

  expect((await replays.dead()).body).toMatchObject({ run: listed.length });
  await refresh();
  expect((await place()).status).toBe(422);

  await stage.query('DELETE FROM backbone.delivery');
  expect((await replays.missing()).body).toMatchObject({ run: listed.length });
  await refresh();
  expect((await place()).status).toBe(422);
  expect(await stage.runDeliveries()).toBe(listed.length);
});
