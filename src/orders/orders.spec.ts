import { randomUUID } from 'node:crypto';
import type { Fact } from '../backbone/domain-event.js';
import { withoutPersonalData } from '../backbone/log/personal-data.js';
import { AMOUNT_MAX } from '../common/values/money.js';
import {
  ProductDiscontinued,
  ProductListed,
  ProductRenamed,
  ProductRepriced,
  StockReserved,
  StockShort,
} from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import type { OrderStatus } from './order-status.js';
import type { OrderView } from './orders.dto.js';
import * as contracts from './orders.events.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderPlaced,
  OrderRejected,
  OrderShipped,
} from './orders.events.js';
import { OrdersModule } from './orders.module.js';

let orders: ModuleStage;

beforeAll(async () => {
  orders = await ModuleStage.of(OrdersModule);
  await listed('TEA', 1_450);
  await listed('MUG', 990);
});

afterAll(() => orders.close());

const usd = (amount: number) => ({ amount, currency: 'USD' });

/** Publishes that inventory has listed a product. */
const listed = (sku: string, amount: number, currency = 'USD') =>
  orders.receive(ProductListed({ sku, name: `The ${sku}`, unitPrice: { amount, currency } }));

const customer = { name: 'Paul Henriot', email: 'paul@customer.example' };
const shippingAddress = { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' };

const anOrder = (change: object = {}) => ({
  customer,
  shippingAddress,
  lines: [{ sku: 'TEA', quantity: 2 }],
  ...change,
});

async function place(change: object = {}): Promise<OrderView> {
  const { status, body } = await orders.post('/v1/orders', anOrder(change));
  expect([status, body.status]).toEqual([201, 'placed']);
  return body;
}

const orderOf = async (id: string): Promise<OrderView> => (await orders.get(`/v1/orders/${id}`)).body;

const shortOf = (orderId: string) => StockShort({ orderId, lines: [{ sku: 'TEA', requested: 2, available: 1 }] });
const cancellation = { reason: 'ordered twice' };
const shipment = { carrier: 'Speedy Express', trackingNumber: 'SE-2048-16' };
const bodies = { cancellation, shipment, delivery: {} };
type Request = keyof typeof bodies;

const ask = (id: string, request: Request) => orders.post(`/v1/orders/${id}/${request}`, bodies[request]);

/** Brings an order to a status. */
const bringTo: Readonly<Record<OrderStatus, (id: string) => Promise<unknown>>> = {
  placed: async () => undefined,
  confirmed: (id) => orders.receive(StockReserved({ orderId: id })),
  rejected: (id) => orders.receive(shortOf(id)),
  cancelled: (id) => ask(id, 'cancellation'),
  shipped: async (id) => {
    await bringTo.confirmed(id);
    await ask(id, 'shipment');
  },
  delivered: async (id) => {
    await bringTo.shipped(id);
    await ask(id, 'delivery');
  },
};

async function orderThatIs(status: OrderStatus): Promise<OrderView> {
  const { id } = await place();
  await bringTo[status](id);
  const order = await orderOf(id);
  expect(order.status).toBe(status);
  return order;
}

const eventsOf = (id: string): Promise<Fact[]> => orders.published(`order/${id}`);
const eventTypesOf = async (id: string) => (await eventsOf(id)).map(({ type }) => type);

describe('an order', () => {
  test('is placed until inventory answers, and is found at its Location', async () => {
    const lines = [
      { sku: 'TEA', quantity: 2 },
      { sku: 'MUG', quantity: 3 },
    ];
    const address = { ...shippingAddress, region: 'Marne', postalCode: '51100' };

    const { status, headers, body } = await orders.post(
      '/v1/orders',
      anOrder({ lines, shippingAddress: address, reference: '10248' }),
    );

    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      status: 'placed',
      version: 1,
      customer,
      shippingAddress: address,
      reference: '10248',
      lines: [
        { sku: 'TEA', name: 'The TEA', quantity: 2, unitPrice: usd(1_450), lineTotal: usd(2_900) },
        { sku: 'MUG', name: 'The MUG', quantity: 3, unitPrice: usd(990), lineTotal: usd(2_970) },
      ],
      total: usd(5_870),
      placedAt: expect.stringMatching(/Z$/),
    });
    expect(headers).toMatchObject({ location: `/v1/orders/${body.id}` });
    expect((await orders.get(`/v1/orders/${body.id}`)).body).toEqual(body);
    expect(await eventsOf(body.id)).toEqual([OrderPlaced({ orderId: body.id, lines })]);
  });

  test('is confirmed when its stock is reserved', async () => {
    const { id } = await place();

    await orders.receive(StockReserved({ orderId: id }));

    expect(await orderOf(id)).toMatchObject({ status: 'confirmed', version: 2 });
    const lines = [{ sku: 'TEA', name: 'The TEA', quantity: 2, lineTotal: usd(2_900) }];
    expect((await eventsOf(id)).slice(1)).toEqual([
      OrderConfirmed({ orderId: id, customer, lines, total: usd(2_900) }),
    ]);
  });

  test('is rejected when stock is short, with the short products', async () => {
    const { id } = await place({
      lines: [
        { sku: 'TEA', quantity: 2 },
        { sku: 'MUG', quantity: 7 },
      ],
    });
    const lines = [{ sku: 'MUG', requested: 7, available: 3 }];

    await orders.receive(StockShort({ orderId: id, lines }));

    const rejection = { reason: 'out-of-stock', lines };
    expect(await orderOf(id)).toMatchObject({ status: 'rejected', version: 2, rejection });
    expect((await eventsOf(id)).slice(1)).toEqual([
      OrderRejected({
        orderId: id,
        customer,
        reason: 'out-of-stock',
        lines: [{ sku: 'MUG', name: 'The MUG', requested: 7, available: 3 }],
      }),
    ]);
  });

  test.each<OrderStatus>(['placed', 'confirmed'])('that is %s can be cancelled', async (before) => {
    const { id, version } = await orderThatIs(before);

    const { status, body } = await ask(id, 'cancellation');

    expect([status, body]).toEqual([200, await orderOf(id)]);
    expect(body).toMatchObject({ status: 'cancelled', version: version + 1, cancellation });
    expect((await eventsOf(id)).slice(version)).toEqual([OrderCancelled({ orderId: id, customer, ...cancellation })]);
  });

  test('that is confirmed is shipped, and then delivered', async () => {
    const { id } = await orderThatIs('confirmed');

    const shipped = await ask(id, 'shipment');
    const delivered = await ask(id, 'delivery');

    expect(shipped).toMatchObject({ status: 200, body: { status: 'shipped', version: 3, shipment } });
    expect(delivered).toMatchObject({ status: 200, body: { status: 'delivered', version: 4, shipment } });
    expect(delivered.body).toEqual(await orderOf(id));
    expect((await eventsOf(id)).slice(2)).toEqual([
      OrderShipped({ orderId: id, customer, ...shipment }),
      OrderDelivered({ orderId: id, customer }),
    ]);
  });

  test('is delivered by a request without a body', async () => {
    const { id } = await orderThatIs('shipped');

    expect((await orders.post(`/v1/orders/${id}/delivery`)).status).toBe(200);
  });

  test.each<[OrderStatus, Request]>([
    ['placed', 'shipment'],
    ['placed', 'delivery'],
    ['confirmed', 'delivery'],
    ['rejected', 'cancellation'],
    ['rejected', 'shipment'],
    ['rejected', 'delivery'],
    ['cancelled', 'cancellation'],
    ['cancelled', 'shipment'],
    ['cancelled', 'delivery'],
    ['shipped', 'cancellation'],
    ['shipped', 'shipment'],
    ['delivered', 'cancellation'],
    ['delivered', 'shipment'],
    ['delivered', 'delivery'],
  ])('that is %s refuses a %s, and does not change', async (before, request) => {
    const order = await orderThatIs(before);
    const factsBefore = await eventsOf(order.id);

    const { status, headers, body } = await ask(order.id, request);

    expect([status, body.code]).toEqual([409, 'wrong-transition']);
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json' });
    expect(body.detail).toContain(`Order ${order.id} is ${before} and cannot become `);
    expect(await orderOf(order.id)).toEqual(order);
    expect(await eventsOf(order.id)).toEqual(factsBefore);
  });

  test('is not found by an unknown id', async () => {
    const id = randomUUID();
    const answers = [
      await orders.get(`/v1/orders/${id}`),
      await orders.get(`/v1/orders/${id}/timeline`),
      await ask(id, 'cancellation'),
      await ask(id, 'shipment'),
      await ask(id, 'delivery'),
    ];

    for (const { status, body } of answers) expect([status, body.code]).toEqual([404, 'order-not-found']);
    expect(await eventsOf(id)).toEqual([]);
  });
});

describe("inventory's answer", () => {
  test.each<[OrderStatus, 'reserved' | 'short']>([
    ['confirmed', 'reserved'],
    ['confirmed', 'short'],
    ['rejected', 'reserved'],
    ['rejected', 'short'],
    ['cancelled', 'reserved'],
    ['cancelled', 'short'],
    ['shipped', 'reserved'],
    ['shipped', 'short'],
    ['delivered', 'reserved'],
    ['delivered', 'short'],
  ])('to an order that is %s already changes nothing: %s', async (before, answer) => {
    const order = await orderThatIs(before);
    const factsBefore = await eventsOf(order.id);

    await orders.receive(answer === 'reserved' ? StockReserved({ orderId: order.id }) : shortOf(order.id));

    expect(await orderOf(order.id)).toEqual(order);
    expect(await eventsOf(order.id)).toEqual(factsBefore);
  });

  test('that comes after a cancellation adds no event', async () => {
    const { id } = await orderThatIs('cancelled');

    await orders.receive(StockReserved({ orderId: id }));

    const log = await orders.query(`SELECT type, version FROM backbone.event WHERE subject = $1 ORDER BY position`, [
      `order/${id}`,
    ]);
    expect(log).toEqual([
      { type: OrderPlaced.type, version: 1 },
      { type: OrderCancelled.type, version: 2 },
    ]);
  });

  test('to an order that does not exist rolls back its transaction', async () => {
    const orderId = randomUUID();

    await expect(orders.receive(StockReserved({ orderId }))).rejects.toThrow(`There is no order ${orderId}`);

    expect(await orders.query('SELECT FROM backbone.event WHERE subject = $1', [`reservation/${orderId}`])).toEqual([]);
  });
});

describe('where inventory runs in another process', () => {
  test('its answer takes effect once, however often it is delivered', async () => {
    const [reserved, short] = [await place(), await place()];

    await orders.runThrice(
      ...(await orders.receiveAsDeliveries(StockReserved({ orderId: reserved.id }), shortOf(short.id))),
    );

    expect(await eventTypesOf(reserved.id)).toEqual([OrderPlaced.type, OrderConfirmed.type]);
    expect(await eventTypesOf(short.id)).toEqual([OrderPlaced.type, OrderRejected.type]);
  });

  test('its events about a product change the price list once, however often they are delivered', async () => {
    const product = { sku: 'AFAR', name: 'Afar', unitPrice: usd(100) };

    const deliveries = await orders.receiveAsDeliveries(
      ProductListed(product),
      ProductRepriced({ ...product, unitPrice: usd(90) }),
    );
    await orders.runThrice(...deliveries);

    expect((await place({ lines: [{ sku: 'AFAR', quantity: 1 }] })).total).toEqual(usd(90));
    expect(await orders.query(`SELECT state FROM backbone.delivery WHERE state <> 'done'`)).toEqual([]);
  });
});

describe('the price of an order', () => {
  const order = (sku: string, quantity = 1) => orders.post('/v1/orders', anOrder({ lines: [{ sku, quantity }] }));

  test('is the price at the time of placing, and so are the names of its products', async () => {
    await listed('JAM', 500);
    const before = await place({ lines: [{ sku: 'JAM', quantity: 2 }] });

    await orders.receive(ProductRepriced({ sku: 'JAM', unitPrice: { amount: 700, currency: 'EUR' } }));
    await orders.receive(ProductRenamed({ sku: 'JAM', name: 'Marmalade' }));
    const after = await place({ lines: [{ sku: 'JAM', quantity: 2 }] });

    expect(await orderOf(before.id)).toEqual(before);
    expect(before).toMatchObject({ total: usd(1_000), lines: [{ name: 'The JAM' }] });
    expect(after).toMatchObject({ total: { amount: 1_400, currency: 'EUR' }, lines: [{ name: 'Marmalade' }] });
  });

  test('adds up several lines of one product, and keeps the lines', async () => {
    const lines = [
      { sku: 'TEA', quantity: 2 },
      { sku: 'MUG', quantity: 1 },
      { sku: 'TEA', quantity: 3 },
    ];

    const placed = await place({ lines });

    expect(placed.total).toEqual(usd(5 * 1_450 + 990));
    expect(placed.lines.map(({ sku, quantity }) => ({ sku, quantity }))).toEqual(lines);
    expect(await eventsOf(placed.id)).toEqual([OrderPlaced({ orderId: placed.id, lines })]);
  });

  test('is refused for unknown and discontinued products, all of which are named', async () => {
    await listed('OLD', 500);
    await orders.receive(ProductDiscontinued({ sku: 'OLD' }));
    const lines = ['TEA', 'OLD', 'GHOST', 'tea', 'OLD'].map((sku) => ({ sku, quantity: 1 }));

    const { status, body } = await orders.post('/v1/orders', anOrder({ lines }));

    expect([status, body.code, body.skus]).toEqual([422, 'products-not-for-sale', ['OLD', 'GHOST', 'tea']]);
    expect(body.detail).toBe('Not for sale: OLD, GHOST, tea.');
  });

  test('does not change when its product is discontinued', async () => {
    await listed('LAST', 500);
    const placed = await place({ lines: [{ sku: 'LAST', quantity: 1 }] });

    await orders.receive(ProductDiscontinued({ sku: 'LAST' }));
    await orders.receive(StockReserved({ orderId: placed.id }));

    expect(await orderOf(placed.id)).toEqual({ ...placed, status: 'confirmed', version: 2 });
  });

  test('is in one currency', async () => {
    await listed('EURO', 500, 'EUR');

    const { status, body } = await orders.post(
      '/v1/orders',
      anOrder({ lines: ['TEA', 'EURO'].map((sku) => ({ sku, quantity: 1 })) }),
    );

    expect([status, body.code]).toEqual([422, 'mixed-currencies']);
    expect(body.detail).toContain('USD and EUR');
  });

  test('is exact up to the maximum amount, and refused above it', async () => {
    await listed('GOLD', AMOUNT_MAX - 1);
    await listed('CENT', 1);
    const linesOf = (cents: number) => [
      { sku: 'GOLD', quantity: 1 },
      { sku: 'CENT', quantity: cents },
    ];

    const dearest = await place({ lines: linesOf(1) });
    const { status, body } = await orders.post('/v1/orders', anOrder({ lines: linesOf(2) }));

    expect(await orderOf(dearest.id)).toMatchObject({ total: usd(9_000_000_000_000_000) });
    expect([status, body.code]).toEqual([422, 'total-too-large']);
    expect(await order('GOLD', 1_000_000)).toMatchObject({ status: 422, body: { code: 'total-too-large' } });
  });

  test('is not changed for a product that was never listed', async () => {
    const repriced = orders.receive(ProductRepriced({ sku: 'GHOST', unitPrice: usd(1) }));

    await expect(repriced).rejects.toThrow('GHOST is not on the price list');
  });

  test('cannot be given by the customer', async () => {
    const lines = [{ sku: 'TEA', quantity: 1, unitPrice: usd(1) }];

    expect(await orders.post('/v1/orders', anOrder({ lines }))).toMatchObject({
      status: 400,
      body: {
        code: 'request-invalid',
        errors: [{ path: 'lines[0].unitPrice', message: 'This field is not known here' }],
      },
    });
  });
});

describe('orders are found', () => {
  const find = async (query: string) => (await orders.get(`/v1/orders?${query}`)).body;
  const idsOf = (items: readonly OrderView[]) => items.map(({ id }) => id);

  /** Reads all pages of a list, and calls `between` after each page. */
  async function pagesOf(query: string, between: () => Promise<unknown> = async () => undefined): Promise<string[][]> {
    const pages: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { items, nextCursor }: { items: OrderView[]; nextCursor: string | null } = await find(
        cursor ? `${query}&cursor=${cursor}` : query,
      );
      pages.push(idsOf(items));
      cursor = nextCursor;
      await between();
    }
    return pages;
  }

  /** A customer with an address that no other order has. */
  const aCustomer = () => ({ name: 'Somebody', email: `${randomUUID()}@customer.example` });

  test('by their status, with all fields, newest first', async () => {
    const customer = aCustomer();
    const [first, second, third] = [await place({ customer }), await place({ customer }), await place({ customer })];
    await bringTo.confirmed(second.id);
    await bringTo.rejected(third.id);

    const { items } = await find(`email=${customer.email}`);

    expect(items).toEqual([await orderOf(third.id), await orderOf(second.id), first]);
    for (const { id, status } of items as OrderView[])
      expect(idsOf((await find(`email=${customer.email}&status=${status}`)).items)).toEqual([id]);
    expect(await find(`email=${customer.email}&status=delivered`)).toEqual({ items: [], nextCursor: null });
  });

  test('by the e-mail address of the customer, in any case', async () => {
    const { name, email } = aCustomer();
    const { id } = await place({ customer: { name, email: email.toUpperCase() } });

    expect(idsOf((await find(`email=${email}`)).items)).toEqual([id]);
    expect(idsOf((await find(`email=x${email}`)).items)).toEqual([]);
  });

  test("by the customer's own reference, case-sensitive", async () => {
    const reference = `A & B ${randomUUID()}`;
    const { id } = await place({ reference });

    expect(idsOf((await find(`reference=${encodeURIComponent(reference)}`)).items)).toEqual([id]);
    expect(idsOf((await find(`reference=${encodeURIComponent(reference.toLowerCase())}`)).items)).toEqual([]);
  });

  test('by the time of placing, in any time zone', async () => {
    const customer = aCustomer();
    const [first, second, third] = [await place({ customer }), await place({ customer }), await place({ customer })];
    const times = ['2026-11-20T08:00:00Z', '2026-11-21T08:00:00Z', '2026-11-22T08:00:00Z'];
    for (const [index, { id }] of [first, second, third].entries())
      await orders.query('UPDATE orders."order" SET placed_at = $1 WHERE id = $2', [times[index], id]);
    const found = async (query: string) => idsOf((await find(`email=${customer.email}&${query}`)).items);

    expect(await found('placedAfter=2026-11-20T08:00:00Z')).toEqual([third.id, second.id]);
    expect(await found('placedBefore=2026-11-22T08:00:00Z')).toEqual([second.id, first.id]);
    expect(await found('placedAfter=2026-11-20T08:00:00Z&placedBefore=2026-11-22T08:00:00Z')).toEqual([second.id]);
    expect(await found(`placedAfter=${encodeURIComponent('2026-11-21T09:00:00+01:00')}`)).toEqual([third.id]);
    expect(await found('placedAfter=2026-11-21T07:59:59.999Z&status=placed')).toEqual([third.id, second.id]);
  });

  test('page by page, each once, even when many were placed at the same time', async () => {
    const customer = aCustomer();
    const placed = await Promise.all(Array.from({ length: 9 }, () => place({ customer })));
    const moment = `UPDATE orders."order" SET placed_at = '2026-11-23T08:00:00.123Z' WHERE customer_email = $1`;
    await orders.query(moment, [customer.email]);

    const pages = await pagesOf(`email=${customer.email}&limit=4`);

    expect(pages.map((page) => page.length)).toEqual([4, 4, 1]);
    expect(pages.flat()).toEqual(idsOf(placed).sort().reverse());
  });

  test('page by page, without a gap or a repetition, while others are placed', async () => {
    const customer = aCustomer();
    const before: OrderView[] = [];
    for (let count = 0; count < 5; count += 1) before.push(await place({ customer }));

    const pages = await pagesOf(`email=${customer.email}&limit=2`, () => place({ customer }));

    expect(pages.flat()).toEqual(idsOf(before).reverse());
    expect((await find(`email=${customer.email}`)).items).toHaveLength(8);
  });

  test.each([
    ['status=lost', 'status'],
    ['email=nobody', 'email'],
    ['reference=', 'reference'],
    ['placedAfter=yesterday', 'placedAfter'],
    ['placedBefore=2026-13-01T00:00:00Z', 'placedBefore'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=many', 'limit'],
    ['colour=red', 'colour'],
    ['status=placed&status=shipped', 'status'],
  ])('not by ?%s', async (query, path) => {
    const { status, body } = await orders.get(`/v1/orders?${query}`);

    expect([status, body.code]).toEqual([400, 'request-invalid']);
    expect(body.errors).toMatchObject([{ path }]);
  });

  test.each(['nonsense', 'W10', Buffer.from('["2026-11-20T08:00:00Z","1"]').toString('base64url')])(
    'not behind the cursor %s',
    async (cursor) => {
      expect(await orders.get(`/v1/orders?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'cursor-invalid' },
      });
    },
  );
});

describe('the timeline of an order', () => {
  test('has events with cause and actor, oldest first', async () => {
    const { body: order } = await orders.post('/v1/orders', anOrder(), { 'x-correlation-id': 'a-request' });
    await orders.receive(StockReserved({ orderId: order.id }));
    await orders.post(`/v1/orders/${order.id}/shipment`, shipment, { 'x-correlation-id': 'another' });

    const { status, body } = await orders.get(`/v1/orders/${order.id}/timeline`);

    const [reserved] = await orders.query<{ id: string }>('SELECT id FROM backbone.event WHERE subject = $1', [
      `reservation/${order.id}`,
    ]);
    const entry = { kind: 'event', subject: `order/${order.id}` };
    expect([status, body.orderId]).toEqual([200, order.id]);
    expect(body.entries).toMatchObject([
      { ...entry, type: OrderPlaced.type, version: 1, actor: 'api', correlationId: 'a-request', causationId: null },
      { ...entry, type: OrderConfirmed.type, version: 2, causationId: reserved?.id },
      { ...entry, type: OrderShipped.type, version: 3, actor: 'api', correlationId: 'another' },
    ]);
    const times: string[] = body.entries.map(({ at }: { at: string }) => at);
    expect(times).toEqual(times.toSorted());
  });

  test('has only the events of that order, without personal data', async () => {
    const headers = { 'x-correlation-id': 'one-request-for-two' };
    const { body: one } = await orders.post('/v1/orders', anOrder(), headers);
    await orders.post('/v1/orders', anOrder(), headers);
    await bringTo.cancelled(one.id);

    const { body } = await orders.get(`/v1/orders/${one.id}/timeline`);

    expect(body.entries).toHaveLength(2);
    expect(JSON.stringify(body)).not.toMatch(/Paul|paul@/);
  });
});

test('events of an order name the customer only in fields that the contract marks as personal', async () => {
  const secret = { name: 'Xaver Zuckmayer', email: 'xaver@zuckmayer.example' };
  const address = { name: 'Zuckmayer', street: 'Zuckmayergasse', city: 'Zuckstadt', country: 'Zuckland' };
  const ids: string[] = [];
  for (const status of ['delivered', 'rejected', 'cancelled'] as const) {
    const { id } = await place({ customer: secret, shippingAddress: address, reference: 'Zuckmayer 1' });
    await bringTo[status](id);
    ids.push(id);
  }

  const rows = await orders.query<{ type: string; data: object; metadata: object }>(
    'SELECT type, data, metadata FROM backbone.event WHERE subject = ANY ($1)',
    [ids.map((id) => `order/${id}`)],
  );

  const contractOf = new Map(Object.values(contracts).map((contract) => [contract.type, contract]));
  expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(contractOf.keys()));
  for (const { type, data, metadata } of rows) {
    const schema = contractOf.get(type)?.data;
    if (!schema) throw new Error(`${type} is no contract`);
    expect(JSON.stringify([withoutPersonalData(schema, data), metadata])).not.toMatch(/xaver|zuck/i);
    expect(/xaver/i.test(JSON.stringify(data))).toBe(type !== OrderPlaced.type);
  }
});

describe('at the same time', () => {
  test.each<[Request, Request]>([
    ['cancellation', 'shipment'],
    ['shipment', 'cancellation'],
    ['shipment', 'shipment'],
    ['cancellation', 'cancellation'],
  ])('a %s and a %s of one order: one succeeds, the other is refused', async (...requests) => {
    const placed = await Promise.all(Array.from({ length: 6 }, () => orderThatIs('confirmed')));

    const answers = await Promise.all(placed.map(({ id }) => Promise.all(requests.map((request) => ask(id, request)))));

    for (const [index, pair] of answers.entries()) {
      const [winner, loser] = pair.toSorted((one, other) => one.status - other.status);
      expect([winner?.status, loser?.status, loser?.body.code]).toEqual([200, 409, 'wrong-transition']);
      expect(await orderOf(placed[index]?.id ?? '')).toEqual(winner?.body);
      expect(await eventsOf(winner?.body.id)).toHaveLength(3);
    }
  });

  test('a cancellation and the answer of inventory: the order is cancelled in the end', async () => {
    const placed = await Promise.all(Array.from({ length: 8 }, () => place()));

    await Promise.all(placed.flatMap(({ id }) => [bringTo.confirmed(id), bringTo.cancelled(id)]));

    for (const { id } of placed) {
      const types = await eventTypesOf(id);
      expect([types.at(0), types.at(-1)]).toEqual([OrderPlaced.type, OrderCancelled.type]);
      expect(await orderOf(id)).toMatchObject({ status: 'cancelled', version: types.length });
    }
  });
});

test('the events of every order have the versions of the order, without a gap', async () => {
  await orderThatIs('delivered');

  const logs = await orders.query<{ version: number; versions: number[] }>(
    `SELECT o.version, array_agg(e.version ORDER BY e.position) AS versions
       FROM orders."order" o LEFT JOIN backbone.event e ON e.subject = 'order/' || o.id GROUP BY o.id`,
  );

  expect(Math.max(...logs.map(({ version }) => version))).toBe(4);
  for (const { version, versions } of logs)
    expect(versions).toEqual(Array.from({ length: version }, (_, index) => index + 1));
});
