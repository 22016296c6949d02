import { randomUUID } from 'node:crypto';
import type { Fact } from '../backbone/domain-event.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrderCancelled, OrderPlaced, OrderShipped } from '../orders/orders.events.js';
import { StockRanLow, StockReplenished } from './inventory.events.js';
import { InventoryModule } from './inventory.module.js';
import { crossing } from './stock-alarm.js';

test.each([
  [11, 10, 'ran low'],
  [11, 0, 'ran low'],
  [10, 9, undefined],
  [12, 11, undefined],
  [11, 11, undefined],
  [10, 11, 'replenished'],
  [0, 99, 'replenished'],
  [0, 10, undefined],
])('with a reorder level of 10, stock that goes from %i to %i: %s', (before, after, expected) => {
  expect(crossing({ before, after, reorderLevel: 10 })).toBe(expected);
});

describe('of products with a reorder level of 5', () => {
  let stage: ModuleStage;

  beforeAll(async () => {
    stage = await ModuleStage.of(InventoryModule);
  });

  afterAll(() => stage.close());

  const terms = { name: 'Chai', category: 'Specs', unitPrice: { amount: 1_800, currency: 'USD' }, reorderLevel: 5 };
  const put = (sku: string, change: object = {}) => stage.put(`/v1/products/${sku}`, { ...terms, ...change });
  const receive = (sku: string, quantity: number) =>
    stage.post(`/v1/stock/${sku}/receipts`, { quantity, reference: 'PO-1' });
  const adjust = (sku: string, change: number) =>
    stage.post(`/v1/stock/${sku}/adjustments`, { change, reason: 'counted' });

  /** Adds products with a reorder level of 5 and these units on hand. */
  const warehouse = (onHand: Readonly<Record<string, number>>) => {
    const lines = Object.entries(onHand).map(([sku, pieces]) => JSON.stringify({ sku, ...terms, onHand: pieces }));
    return stage.post('/v1/products/import', lines.join('\n'));
  };

  const customer = { name: 'Maria Anders', email: 'maria@customer.example' };
  const order = async (...lines: { sku: string; quantity: number }[]) => {
    const orderId = randomUUID();
    await stage.receive(OrderPlaced({ orderId, lines }));
    return {
      cancel: () => stage.receive(OrderCancelled({ orderId, customer, reason: 'Ordered twice' })),
      ship: () => stage.receive(OrderShipped({ orderId, customer, carrier: 'Federal', trackingNumber: '1Z' })),
    };
  };

  const low = (sku: string, available: number, reorderLevel = 5) =>
    StockRanLow({ sku, name: 'Chai', available, reorderLevel });
  const replenished = (sku: string, available: number, reorderLevel = 5) =>
    StockReplenished({ sku, available, reorderLevel });
  const alarmsOf = async (sku: string): Promise<Fact[]> =>
    (await stage.published(`stock/${sku}`)).filter(({ type }) =>
      [StockRanLow.type, StockReplenished.type].includes(type),
    );

  test('placed orders make a product run low once, and a cancellation replenishes it once', async () => {
    await warehouse({ TEA: 10 });

    await order({ sku: 'TEA', quantity: 4 });
    expect(await alarmsOf('TEA')).toEqual([]);
    const first = await order({ sku: 'TEA', quantity: 1 });
    const second = await order({ sku: 'TEA', quantity: 2 });
    expect(await alarmsOf('TEA')).toEqual([low('TEA', 5)]);
    await first.cancel();
    expect(await alarmsOf('TEA')).toEqual([low('TEA', 5)]);
    await second.cancel();

    expect(await alarmsOf('TEA')).toEqual([low('TEA', 5), replenished('TEA', 6)]);
  });

  test('every crossing is published, however often stock goes up and down', async () => {
    await warehouse({ YOYO: 6 });

    for (let time = 1; time <= 3; time += 1) await (await order({ sku: 'YOYO', quantity: 2 })).cancel();

    const once = [low('YOYO', 4), replenished('YOYO', 6)];
    expect(await alarmsOf('YOYO')).toEqual([...once, ...once, ...once]);
  });

  test('a shipment publishes nothing, because its units were reserved before', async () => {
    await warehouse({ HAT: 10 });
    const hats = await order({ sku: 'HAT', quantity: 4 });

    await hats.ship();

    expect(await alarmsOf('HAT')).toEqual([]);
  });

  test('a rejected order publishes nothing about stock levels', async () => {
    await warehouse({ FIG: 10, NUT: 1 });

    await order({ sku: 'FIG', quantity: 9 }, { sku: 'NUT', quantity: 2 });

    expect(await alarmsOf('FIG')).toEqual([]);
  });

  test('one order publishes an event for each of its products that crosses its reorder level', async () => {
    await warehouse({ ONE: 10, TWO: 20, TEN: 6 });

    await order({ sku: 'TEN', quantity: 1 }, { sku: 'TWO', quantity: 2 }, { sku: 'ONE', quantity: 9 });

    expect([await alarmsOf('ONE'), await alarmsOf('TWO'), await alarmsOf('TEN')]).toEqual([
      [low('ONE', 1)],
      [],
      [low('TEN', 5)],
    ]);
  });

  test('adjustments make a product run low and replenish it', async () => {
    await warehouse({ EGG: 10 });

    for (const change of [-4, -1, -1, 1, 1, 1]) await adjust('EGG', change);

    expect(await alarmsOf('EGG')).toEqual([low('EGG', 5), replenished('EGG', 6)]);
  });

  test('a receipt replenishes a product, and the next receipt publishes nothing', async () => {
    await warehouse({ JAM: 6 });
    await adjust('JAM', -6);

    for (const quantity of [5, 1, 1]) await receive('JAM', quantity);

    expect(await alarmsOf('JAM')).toEqual([low('JAM', 0), replenished('JAM', 6)]);
  });

  test('reserved units do not count as available', async () => {
    await warehouse({ SET: 10 });
    await order({ sku: 'SET', quantity: 8 });

    await receive('SET', 3);
    await receive('SET', 1);

    expect(await alarmsOf('SET')).toEqual([low('SET', 2), replenished('SET', 6)]);
  });

  test('a new reorder level makes a product run low or replenishes it, without a movement', async () => {
    await warehouse({ BAR: 10 });

    for (const reorderLevel of [9, 10, 11, 12, 10, 9, 0]) await put('BAR', { reorderLevel });

    expect(await alarmsOf('BAR')).toEqual([low('BAR', 10, 10), replenished('BAR', 10, 9)]);
  });

  test('the opening stock of a product publishes nothing about its level', async () => {
    await warehouse({ MANY: 100, FEW: 1, NONE: 0 });
    await put('LATER');

    expect([await alarmsOf('MANY'), await alarmsOf('FEW'), await alarmsOf('NONE'), await alarmsOf('LATER')]).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });

  test('a discontinued product publishes nothing about its level', async () => {
    await warehouse({ OLD: 10 });
    await stage.post('/v1/products/OLD/discontinuation');

    await order({ sku: 'OLD', quantity: 9 });
    await receive('OLD', 100);

    expect(await alarmsOf('OLD')).toEqual([]);
  });

  test('20 orders at once make a product run low once', async () => {
    await warehouse({ STAR: 15 });

    await Promise.all(Array.from({ length: 20 }, () => order({ sku: 'STAR', quantity: 1 })));

    expect(await alarmsOf('STAR')).toEqual([low('STAR', 5)]);
  });
});
