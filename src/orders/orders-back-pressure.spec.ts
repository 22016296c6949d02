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

const look = () => stage.app.get(BackPressure).refresh();
const anOrder = (sku: string) => ({
  customer: { name: 'Paul Henriot', email: 'paul@customer.example' },
  shippingAddress: { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' },
  lines: [{ sku, quantity: 1 }],
});
/** An order that is refused for what is in it, where it is looked at. */
const place = () => stage.post('/v1/orders', anOrder('NOTHING'));

/** Deliveries that wait. */
async function waiting(count: number, claims = 0): Promise<void> {
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
  await look();
}

test('as much as there may be is no reason to refuse an order', async () => {
  await waiting(BACKLOG_MAX);
  expect((await place()).status).toBe(422);
  expect((await stage.get('/health/ready')).body).toMatchObject({ status: 'ok' });
});

test('more than that closes the shop for new orders, and for nothing else, until much of it is done', async () => {
  await waiting(BACKLOG_MAX + 1);

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
  await look();
  expect((await place()).status).toBe(503);
  await done(1);
  await look();
  expect((await place()).status).toBe(422);
});

test('a request that is repeated gets its order, because that makes no new work', async () => {
  await stage.receive(ProductListed({ sku: 'TEA', name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }));
  const once = { 'idempotency-key': randomUUID() };
  const first = await stage.post('/v1/orders', anOrder('TEA'), once);
  await waiting(BACKLOG_MAX + 1);

  expect((await place()).status).toBe(503);
  const again = await stage.post('/v1/orders', anOrder('TEA'), once);
  expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotent-replayed': 'true' } });
});

test('a mail server that is away does not close it, and neither does an operator who pauses a subscriber', async () => {
  await waiting(BACKLOG_MAX + 1, 3);
  expect((await place()).status).toBe(422);

  await stage.query(
    `INSERT INTO backbone.paused_subscriber (subscriber, reason) VALUES ('notifications.emailConfirmation', 'It moves')`,
  );
  await waiting(BACKLOG_MAX + 1);
  expect((await place()).status).toBe(422);
});

test('a history that is replayed does not close it, whether its deliveries are there or are made for it', async () => {
  const listed = Array.from({ length: BACKLOG_MAX + 1 }, (_, number) =>
    ProductListed({ sku: `TEA-${number}`, name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }),
  );
  await stage.receiveAsDeliveries(...listed);
  await stage.query(`UPDATE backbone.delivery SET state = 'dead', attempts = 8, claims = 8`);
  const reason = 'The price list is mended';
  const replays = {
    dead: () => stage.post('/v1/operations/deliveries/replay', { filter: {}, reason }),
    missing: () => stage.post('/v1/operations/subscriptions/orders.addPrice/replay', { reason }),
  };

  expect((await replays.dead()).body).toMatchObject({ run: listed.length });
  await look();
  expect((await place()).status).toBe(422);

  await stage.query('DELETE FROM backbone.delivery');
  expect((await replays.missing()).body).toMatchObject({ run: listed.length });
  await look();
  expect((await place()).status).toBe(422);
  expect(await stage.runDeliveries()).toBe(listed.length);
});
