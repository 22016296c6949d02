import { randomUUID } from 'node:crypto';
import { Database } from '../common/database/database.js';
import { sqlStateOf, violatedConstraintOf } from '../common/database/database-errors.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrderCancelled, OrderPlaced, OrderShipped } from '../orders/orders.events.js';
import { StockDispatched, StockReleased, StockReserved, StockShort } from './inventory.events.js';
import { InventoryModule } from './inventory.module.js';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(InventoryModule);
});

afterAll(() => stage.close());

/** Every level equals the sum of its ledger and of its held reservations, after every test. */
async function expectAgreement(): Promise<void> {
  const mismatches = await stage.query(`
    SELECT sku FROM inventory.stock s
     WHERE on_hand <> coalesce((SELECT sum(change) FROM inventory.movement m WHERE m.sku = s.sku), 0)
        OR reserved <> coalesce((SELECT sum(quantity) FROM inventory.reservation r
                                  WHERE r.sku = s.sku AND r.state = 'held'), 0)`);
  expect(mismatches).toEqual([]);
}

afterEach(expectAgreement);

type Quantities = Readonly<Record<string, number>>;

const unitPrice = { amount: 1_800, currency: 'USD' };
const customer = { name: 'Maria Anders', email: 'maria@customer.example' };
const linesOf = (wanted: Quantities) => Object.entries(wanted).map(([sku, quantity]) => ({ sku, quantity }));

/** Adds products with these units on hand. */
async function warehouse(onHand: Quantities): Promise<void> {
  const products = linesOf(onHand).map(({ sku, quantity }) =>
    JSON.stringify({ sku, name: sku, category: 'Specs', unitPrice, reorderLevel: 0, onHand: quantity }),
  );
  const { body } = await stage.post('/v1/products/import', products.join('\n'));
  expect(body).toMatchObject({ listed: products.length, rejectedTotal: 0 });
}

const anOrder = (wanted: Quantities, orderId: string = randomUUID()) => {
  const cancelled = OrderCancelled({ orderId, customer, reason: 'Ordered twice' });
  const shipped = OrderShipped({ orderId, customer, carrier: 'Federal', trackingNumber: '1Z' });
  return { orderId, placed: OrderPlaced({ orderId, lines: linesOf(wanted) }), cancelled, shipped };
};

const answersTo = ({ orderId }: { orderId: string }) => stage.published(`reservation/${orderId}`);

const levelOf = async (sku: string) => (await stage.get(`/v1/stock/${sku}`)).body;

describe('an order that is placed', () => {
  test('gets all its lines reserved', async () => {
    await warehouse({ TEA: 10, MUG: 5 });
    const order = anOrder({ TEA: 4, MUG: 5 });

    await stage.receive(order.placed);

    expect(await answersTo(order)).toEqual([StockReserved({ orderId: order.orderId })]);
    expect(await levelOf('TEA')).toMatchObject({ onHand: 10, reserved: 4, available: 6 });
    expect(await levelOf('MUG')).toMatchObject({ onHand: 5, reserved: 5, available: 0 });
  });

  test('gets none of them reserved when one is short, and the event has the available units of the short ones', async () => {
    await warehouse({ SALT: 10, RICE: 5, OIL: 0 });
    const order = anOrder({ SALT: 4, RICE: 6, OIL: 1 });

    await stage.receive(order.placed);

    const lines = [
      { sku: 'RICE', requested: 6, available: 5 },
      { sku: 'OIL', requested: 1, available: 0 },
    ];
    expect(await answersTo(order)).toEqual([StockShort({ orderId: order.orderId, lines })]);
    expect(await levelOf('SALT')).toMatchObject({ reserved: 0 });
    expect(await levelOf('RICE')).toMatchObject({ reserved: 0 });
  });

  test('gets only units that no other order has reserved', async () => {
    await warehouse({ FIGS: 10 });
    const [first, second] = [anOrder({ FIGS: 8 }), anOrder({ FIGS: 3 })];

    await stage.receive(first.placed);
    await stage.receive(second.placed);

    const lines = [{ sku: 'FIGS', requested: 3, available: 2 }];
    expect(await answersTo(second)).toEqual([StockShort({ orderId: second.orderId, lines })]);
  });

  test('needs the sum of several lines of one product', async () => {
    await warehouse({ PEAS: 10 });
    const [eleven, ten] = [randomUUID(), randomUUID()];
    const inTwoLines = (orderId: string, ...quantities: number[]) =>
      OrderPlaced({ orderId, lines: quantities.map((quantity) => ({ sku: 'PEAS', quantity })) });

    await stage.receive(inTwoLines(eleven, 6, 5), inTwoLines(ten, 6, 4));

    const lines = [{ sku: 'PEAS', requested: 11, available: 10 }];
    expect(await answersTo({ orderId: eleven })).toEqual([StockShort({ orderId: eleven, lines })]);
    expect(await answersTo({ orderId: ten })).toEqual([StockReserved({ orderId: ten })]);
    expect(await levelOf('PEAS')).toMatchObject({ reserved: 10 });
  });

  test('gets no units of a product that was never listed', async () => {
    await warehouse({ CORN: 10 });
    const order = anOrder({ CORN: 1, UNICORN: 2 });

    await stage.receive(order.placed);

    const lines = [{ sku: 'UNICORN', requested: 2, available: 0 }];
    expect(await answersTo(order)).toEqual([StockShort({ orderId: order.orderId, lines })]);
    expect(await levelOf('CORN')).toMatchObject({ reserved: 0 });
  });

  test('still gets the units of a product that was discontinued meanwhile', async () => {
    await warehouse({ LAST: 3 });
    await stage.post('/v1/products/LAST/discontinuation');
    const order = anOrder({ LAST: 3 });

    await stage.receive(order.placed);

    expect(await answersTo(order)).toEqual([StockReserved({ orderId: order.orderId })]);
  });

  test('is reserved in one statement, even with 200 lines', async () => {
    const wanted = Object.fromEntries(Array.from({ length: 200 }, (_, line) => [`BULK-${line}`, line + 1]));
    await warehouse(wanted);
    const order = anOrder(wanted);

    await stage.receive(order.placed);

    expect(await answersTo(order)).toEqual([StockReserved({ orderId: order.orderId })]);
    // PostgreSQL marks each row with the command that wrote it.
    const commands = await stage.query(
      `SELECT count(*)::integer AS lines, sum(quantity)::integer AS pieces
         FROM inventory.reservation WHERE order_id = $1 GROUP BY xmin::text, cmin::text`,
      [order.orderId],
    );
    expect(commands).toEqual([{ lines: 200, pieces: 20_100 }]);
  });

  test('that is placed a second time is refused, and its transaction rolls back', async () => {
    await warehouse({ NUTS: 10 });
    const order = anOrder({ NUTS: 4 });
    await stage.receive(order.placed);

    const again = await stage.receive(order.placed).catch((error: unknown) => error);

    expect(violatedConstraintOf(again)).toBe('reservation_pkey');
    expect(await answersTo(order)).toHaveLength(1);
    expect(await levelOf('NUTS')).toMatchObject({ reserved: 4 });
  });
});

describe('an order that is cancelled', () => {
  test('releases its reservations, once', async () => {
    await warehouse({ JAM: 10, BUN: 5 });
    const [order, other] = [anOrder({ JAM: 4, BUN: 5 }), anOrder({ JAM: 1 })];
    await stage.receive(order.placed, other.placed);

    await stage.receive(order.cancelled);
    await stage.receive(order.cancelled);

    const { orderId } = order;
    expect(await answersTo(order)).toEqual([StockReserved({ orderId }), StockReleased({ orderId })]);
    expect(await levelOf('JAM')).toMatchObject({ onHand: 10, reserved: 1 });
    expect(await levelOf('BUN')).toMatchObject({ onHand: 5, reserved: 0 });
  });

  test('has no effect when nothing is reserved for it', async () => {
    await warehouse({ HAM: 1 });
    const [short, unknown] = [anOrder({ HAM: 2 }), anOrder({})];
    await stage.receive(short.placed);

    await stage.receive(short.cancelled, unknown.cancelled);

    expect((await answersTo(short)).map(({ type }) => type)).toEqual([StockShort.type]);
    expect(await answersTo(unknown)).toEqual([]);
  });
});

describe('an order that is shipped', () => {
  test('takes its reserved units out of the warehouse, once', async () => {
    await warehouse({ HAT: 10, CAP: 5 });
    const order = anOrder({ HAT: 4, CAP: 5 });
    await stage.receive(order.placed);

    await stage.receive(order.shipped);
    await stage.receive(order.shipped);

    const { orderId } = order;
    expect(await answersTo(order)).toEqual([StockReserved({ orderId }), StockDispatched({ orderId })]);
    expect(await levelOf('HAT')).toMatchObject({ onHand: 6, reserved: 0, available: 6 });
    expect(await levelOf('CAP')).toMatchObject({ onHand: 0, reserved: 0 });
    expect((await stage.get('/v1/stock/HAT/movements')).body.items).toMatchObject([
      { kind: 'dispatch', change: -4, onHand: 6, reason: orderId },
      { kind: 'receipt', change: 10, onHand: 10 },
    ]);
  });

  test('has no effect after its cancellation, and a cancellation none after the shipment', async () => {
    await warehouse({ SOAP: 10 });
    const [off, gone] = [anOrder({ SOAP: 2 }), anOrder({ SOAP: 3 })];
    await stage.receive(off.placed, gone.placed);

    await stage.receive(off.cancelled, off.shipped, gone.shipped, gone.cancelled);

    expect((await answersTo(off)).map(({ type }) => type)).toEqual([StockReserved.type, StockReleased.type]);
    expect((await answersTo(gone)).map(({ type }) => type)).toEqual([StockReserved.type, StockDispatched.type]);
    expect(await levelOf('SOAP')).toMatchObject({ onHand: 7, reserved: 0 });
  });
});

describe('where orders runs in another process', () => {
  const unfinished = () => stage.query(`SELECT * FROM backbone.delivery WHERE state <> 'done'`);

  test('an order is reserved, shipped and answered once, however often its events are delivered', async () => {
    await warehouse({ BIKE: 10 });
    const order = anOrder({ BIKE: 4 });

    await stage.runThrice(...(await stage.receiveAsDeliveries(order.placed, order.shipped)));

    const { orderId } = order;
    expect(await answersTo(order)).toEqual([StockReserved({ orderId }), StockDispatched({ orderId })]);
    expect(await levelOf('BIKE')).toMatchObject({ onHand: 6, reserved: 0 });
    expect(await unfinished()).toEqual([]);
  });

  test('a short order is answered once, however often its event is delivered, even when goods arrive meanwhile', async () => {
    await warehouse({ KITE: 1 });
    const order = anOrder({ KITE: 2 });
    const deliveries = await stage.receiveAsDeliveries(order.placed);

    await stage.runThrice(...deliveries);
    await stage.post('/v1/stock/KITE/receipts', { quantity: 5, reference: 'PO-2' });
    await stage.runThrice(...deliveries);

    expect((await answersTo(order)).map(({ type }) => type)).toEqual([StockShort.type]);
    expect(await levelOf('KITE')).toMatchObject({ onHand: 6, reserved: 0 });
  });

  test('a cancelled order is reserved and then released, in whatever sequence the jobs come', async () => {
    await warehouse({ SLED: 10 });
    const order = anOrder({ SLED: 4 });
    const deliveries = await stage.receiveAsDeliveries(order.placed, order.cancelled);

    await stage.runThrice(...[...deliveries].reverse(), ...deliveries);

    const { orderId } = order;
    expect(await answersTo(order)).toEqual([StockReserved({ orderId }), StockReleased({ orderId })]);
    expect(await levelOf('SLED')).toMatchObject({ onHand: 10, reserved: 0 });
    expect(await unfinished()).toEqual([]);
  });
});

describe('many orders at the same time:', () => {
  const outcomesOf = async (orders: readonly { orderId: string }[]) => {
    const answers = await Promise.all(orders.map(answersTo));
    const types = answers.map((facts) => facts.map(({ type }) => type).join());
    return { reserved: types.filter((type) => type === StockReserved.type), types };
  };

  test('of 20 orders for the last 10 pieces, 10 get one', async () => {
    await warehouse({ STAR: 10 });
    const orders = Array.from({ length: 20 }, () => anOrder({ STAR: 1 }));

    await Promise.all(orders.map(({ placed }) => stage.receive(placed)));

    const { reserved, types } = await outcomesOf(orders);
    expect(reserved).toHaveLength(10);
    expect(types.filter((type) => type === StockShort.type)).toHaveLength(10);
    expect(await levelOf('STAR')).toMatchObject({ onHand: 10, reserved: 10, available: 0 });
  });

  test('orders that name the same products in opposite sequences do not deadlock', async () => {
    const skus = ['RED', 'blue', 'Green', 'white', 'BLACK'];
    const each = (quantity: number, names: readonly string[]) =>
      Object.fromEntries(names.map((sku) => [sku, quantity]));
    await warehouse(each(20, skus));
    const orders = Array.from({ length: 30 }, (_, nr) => anOrder(each(1, nr % 2 ? skus : [...skus].reverse())));

    await Promise.all(orders.map(({ placed }) => stage.receive(placed)));

    expect((await outcomesOf(orders)).reserved).toHaveLength(20);
    for (const sku of skus) expect(await levelOf(sku)).toMatchObject({ reserved: 20, available: 0 });
  });

  test('of the cancellation and the shipment of each order, one takes effect', async () => {
    await warehouse({ RING: 10 });
    const orders = Array.from({ length: 10 }, () => anOrder({ RING: 1 }));
    await stage.receive(...orders.map(({ placed }) => placed));

    await Promise.all(orders.flatMap(({ cancelled, shipped }) => [stage.receive(cancelled), stage.receive(shipped)]));

    for (const order of orders) expect(await answersTo(order)).toHaveLength(2);
    const { onHand, reserved } = await levelOf('RING');
    const shipped = (await stage.published()).filter(
      ({ type, subject }) => type === StockDispatched.type && orders.some(({ orderId }) => subject.endsWith(orderId)),
    );
    expect({ onHand, reserved }).toEqual({ onHand: 10 - shipped.length, reserved: 0 });
  });

  test('they never deadlock, because each waits for its first product before it locks the next', async () => {
    await warehouse({ 'KEY-1': 10, 'KEY-2': 10 });
    const orders = [anOrder({ 'KEY-1': 1, 'KEY-2': 1 }), anOrder({ 'KEY-2': 1, 'KEY-1': 1 })];
    const waiting = `
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const take = (sku: string) => `SELECT FROM inventory.stock WHERE sku = '${sku}' FOR UPDATE NOWAIT`;
    const blocker = stage.app.get(Database).dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query(take('KEY-1'));

    const receiving = orders.map(({ placed }) => stage.receive(placed));
    const deadline = Date.now() + 5_000;
    while ((await stage.query(waiting)).length < orders.length && Date.now() < deadline);
    const second = await blocker.query(take('KEY-2')).then(() => 'free', sqlStateOf);
    await blocker.rollbackTransaction();
    await blocker.release();
    await Promise.all(receiving);

    expect(second).toBe('free');
    expect((await outcomesOf(orders)).reserved).toHaveLength(2);
  });
});
