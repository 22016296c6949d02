import { randomUUID } from 'node:crypto';
import type { Fact } from '../backbone/domain-event.js';
import { encodeCursor } from '../common/http/pagination.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrderPlaced, OrderShipped } from '../orders/orders.events.js';
import { StockAdjusted, StockReceived } from './inventory.events.js';
import { InventoryModule } from './inventory.module.js';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(InventoryModule);
});

afterAll(() => stage.close());

const aProduct = { name: 'Chai', category: 'Specs', unitPrice: { amount: 1_800, currency: 'USD' }, reorderLevel: 0 };
const receive = (sku: string, quantity: number, reference = 'PO-1') =>
  stage.post(`/v1/stock/${sku}/receipts`, { quantity, reference });
const adjust = (sku: string, change: number, reason = 'damaged') =>
  stage.post(`/v1/stock/${sku}/adjustments`, { change, reason });
const levelOf = async (sku: string) => (await stage.get(`/v1/stock/${sku}`)).body;
const ledgerOf = async (sku: string) => (await stage.get(`/v1/stock/${sku}/movements?limit=200`)).body.items;

/** Adds a product with these units on hand and reserved. */
async function product(sku: string, onHand = 0, reserved = 0): Promise<{ orderId: string }> {
  const orderId = randomUUID();
  await stage.put(`/v1/products/${sku}`, aProduct);
  if (onHand > 0) await receive(sku, onHand);
  if (reserved > 0) await stage.receive(OrderPlaced({ orderId, lines: [{ sku, quantity: reserved }] }));
  return { orderId };
}

/** The receipts and adjustments that were published. */
const eventsOf = async (sku: string): Promise<Fact[]> =>
  (await stage.published(`stock/${sku}`)).filter(({ type }) => [StockReceived.type, StockAdjusted.type].includes(type));

test('a new product has a level of zero and an empty ledger', async () => {
  await product('NEW');

  expect(await levelOf('NEW')).toEqual({ sku: 'NEW', onHand: 0, reserved: 0, available: 0, reorderLevel: 0 });
  expect((await stage.get('/v1/stock/NEW/movements')).body).toEqual({ items: [], nextCursor: null });
});

test('a receipt is booked, shown and published', async () => {
  await product('TEA');

  const answer = await receive('TEA', 39, 'PO-7');

  expect(answer).toMatchObject({
    status: 201,
    body: { sku: 'TEA', kind: 'receipt', change: 39, onHand: 39, reason: 'PO-7' },
  });
  expect(await ledgerOf('TEA')).toEqual([answer.body]);
  expect(await levelOf('TEA')).toMatchObject({ onHand: 39, reserved: 0, available: 39 });
  expect(await eventsOf('TEA')).toEqual([StockReceived({ sku: 'TEA', quantity: 39, reference: 'PO-7' })]);
});

test('an adjustment, up or down, is booked, shown and published', async () => {
  await product('MUG', 10);

  const answers = [await adjust('MUG', -2), await adjust('MUG', 1, 'found again')];

  expect(answers).toMatchObject([
    { status: 201, body: { kind: 'adjustment', change: -2, onHand: 8, reason: 'damaged' } },
    { status: 201, body: { kind: 'adjustment', change: 1, onHand: 9, reason: 'found again' } },
  ]);
  expect(await levelOf('MUG')).toMatchObject({ onHand: 9, available: 9 });
  expect((await eventsOf('MUG')).slice(1)).toEqual([
    StockAdjusted({ sku: 'MUG', change: -2, reason: 'damaged' }),
    StockAdjusted({ sku: 'MUG', change: 1, reason: 'found again' }),
  ]);
});

test('all available units may be taken away', async () => {
  await product('JAR', 10, 4);

  expect(await adjust('JAR', -6)).toMatchObject({ status: 201, body: { onHand: 4 } });
  expect(await levelOf('JAR')).toMatchObject({ onHand: 4, reserved: 4, available: 0 });
});

test.each([
  ['more than is on hand', 'PIE', 0, -11, 'PIE cannot change by -11: only 10 are on hand and not reserved.'],
  ['reserved units', 'BUN', 4, -7, 'BUN cannot change by -7: only 6 are on hand and not reserved.'],
])(
  'an adjustment that takes away %s is refused, not stored and not published',
  async (_, sku, reserved, change, detail) => {
    await product(sku, 10, reserved);
    const before = [await levelOf(sku), await ledgerOf(sku), await stage.published()];

    const answer = await adjust(sku, change);

    expect(answer).toMatchObject({ status: 409, body: { code: 'stock-would-be-negative', detail } });
    expect([await levelOf(sku), await ledgerOf(sku), await stage.published()]).toEqual(before);
  },
);

test('the ledger is listed newest first, and adds up to the units on hand', async () => {
  const { orderId } = await product('ROPE', 10, 4);
  await adjust('ROPE', -3);
  await stage.receive(
    OrderShipped({
      orderId,
      customer: { name: 'Maria', email: 'm@example.com' },
      carrier: 'Federal',
      trackingNumber: '1',
    }),
  );
  await receive('ROPE', 5, 'PO-2');

  const ledger = await ledgerOf('ROPE');

  expect(ledger).toMatchObject([
    { kind: 'receipt', change: 5, onHand: 8, reason: 'PO-2' },
    { kind: 'dispatch', change: -4, onHand: 3, reason: orderId },
    { kind: 'adjustment', change: -3, onHand: 7, reason: 'damaged' },
    { kind: 'receipt', change: 10, onHand: 10, reason: 'PO-1' },
  ]);
  const sum = ledger.reduce((sum: number, { change }: { change: number }) => sum + change, 0);
  expect(await levelOf('ROPE')).toMatchObject({ onHand: sum });
  const times = ledger.map(({ bookedAt }: { bookedAt: string }) => Date.parse(bookedAt));
  expect(times).toEqual([...times].sort((one, other) => other - one));
});

test('the ledger is read page by page, without a repetition while movements are added', async () => {
  await product('BEAD');
  for (let line = 1; line <= 5; line += 1) await receive('BEAD', line);
  const seen: number[] = [];

  for (let cursor: string | null = ''; cursor !== null; ) {
    const from: string = cursor && `&cursor=${cursor}`;
    const { body } = await stage.get(`/v1/stock/BEAD/movements?limit=2${from}`);
    seen.push(...body.items.map(({ change }: { change: number }) => change));
    cursor = body.nextCursor;
    await receive('BEAD', 100);
  }

  expect(seen).toEqual([5, 4, 3, 2, 1]);
});

test('of 20 concurrent adjustments for the last 10 pieces 10 succeed, and the ledger counts down one by one', async () => {
  await product('CAKE', 10);

  const answers = await Promise.all(Array.from({ length: 20 }, () => adjust('CAKE', -1, 'eaten')));

  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
  const levels = (await ledgerOf('CAKE')).map(({ onHand }: { onHand: number }) => onHand);
  expect(levels).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test.each<[string, () => ReturnType<ModuleStage['get']>]>([
  ['level', () => stage.get('/v1/stock/UNICORN')],
  ['ledger', () => stage.get('/v1/stock/UNICORN/movements')],
  ['receipt', () => receive('UNICORN', 1)],
  ['adjustment', () => adjust('UNICORN', 1)],
])('there is no %s of a product that was never listed', async (_, ask) => {
  expect(await ask()).toMatchObject({ status: 404, body: { code: 'product-not-found' } });
});

test.each<[string, string, object, string]>([
  ['of 0 pieces', 'receipts', { quantity: 0 }, 'quantity'],
  ['of a negative quantity', 'receipts', { quantity: -1 }, 'quantity'],
  ['of half a piece', 'receipts', { quantity: 1.5 }, 'quantity'],
  ['above the maximum', 'receipts', { quantity: 1_000_001 }, 'quantity'],
  ['with a text as its quantity', 'receipts', { quantity: '5' }, 'quantity'],
  ['without a reference', 'receipts', { reference: undefined }, 'reference'],
  ['with a reference of two lines', 'receipts', { reference: 'PO\n1' }, 'reference'],
  ['with an unknown field', 'receipts', { sku: 'TEA' }, 'sku'],
  ['with a change of 0', 'adjustments', { change: 0 }, 'change'],
  ['of half a piece', 'adjustments', { change: -0.5 }, 'change'],
  ['with a change above the maximum', 'adjustments', { change: 1e300 }, 'change'],
  ['without a reason', 'adjustments', { reason: '' }, 'reason'],
  ['with a NUL in its reason', 'adjustments', { reason: 'dam\0aged' }, 'reason'],
])('a booking %s is refused: %s %j', async (_, verb, change, path) => {
  const fine = verb === 'receipts' ? { quantity: 1, reference: 'PO-1' } : { change: 1, reason: 'found' };
  await stage.put('/v1/products/FINE', aProduct);

  const answer = await stage.post(`/v1/stock/FINE/${verb}`, { ...fine, ...change });

  expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
  expect(answer.body.errors).toContainEqual({ path, message: expect.any(String) });
  expect(await ledgerOf('FINE')).toEqual([]);
});

test.each(['x', '', encodeCursor(['5']), encodeCursor([1.5]), encodeCursor([1, 2])])(
  'the ledger refuses the cursor %j',
  async (cursor) => {
    await stage.put('/v1/products/FINE', aProduct);

    const answer = await stage.get(`/v1/stock/FINE/movements?cursor=${cursor}`);

    expect(answer).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
  },
);
