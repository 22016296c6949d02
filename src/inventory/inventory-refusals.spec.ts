import { randomUUID } from 'node:crypto';
import { definitionOf } from '../backbone/business-module.js';
import { Database } from '../common/database/database.js';
import { sqlStateOf, violatedConstraintOf } from '../common/database/database-errors.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrderPlaced } from '../orders/orders.events.js';
import { InventoryModule } from './inventory.module.js';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(InventoryModule);
  await tenWithFourReserved('TEA', order);
});

afterAll(() => stage.close());

/** Runs a statement under the role of the module itself. */
const asInventory = (sql: string): Promise<unknown> =>
  stage.app.get(Database).transaction('inventory', ({ manager }) => manager.query(sql));
/** Runs a statement as the owner of the tables, like SQL by hand. */
const asOwner = (sql: string): Promise<unknown> => stage.query(sql);

const aProduct = { name: 'Tea', category: 'Specs', unitPrice: { amount: 1_800, currency: 'USD' }, reorderLevel: 0 };
const order = randomUUID();
const other = randomUUID();

/** Adds a product with 10 pieces, of which 4 are reserved for an order. */
async function tenWithFourReserved(sku: string, orderId: string = randomUUID()): Promise<void> {
  await stage.put(`/v1/products/${sku}`, aProduct);
  await stage.post(`/v1/stock/${sku}/receipts`, { quantity: 10, reference: 'PO-1' });
  await stage.receive(OrderPlaced({ orderId, lines: [{ sku, quantity: 4 }] }));
}

/** The stock level of a product beside the sums of its ledger and of its reservations. */
async function figuresOf(sku: string) {
  const [figures] = await stage.query(
    `SELECT on_hand::integer AS "onHand", reserved::integer,
            (SELECT sum(change)::integer FROM inventory.movement m WHERE m.sku = s.sku) AS ledger,
            (SELECT coalesce(sum(quantity), 0)::integer FROM inventory.reservation r
              WHERE r.sku = s.sku AND r.state = 'held') AS held
       FROM inventory.stock s WHERE sku = $1`,
    [sku],
  );
  return figures;
}

const reserve = (rows: string) => `INSERT INTO inventory.reservation (order_id, sku, quantity) VALUES ${rows}`;
const move = (rows: string) => `INSERT INTO inventory.movement (sku, kind, change, reason) VALUES ${rows}`;
const ofTea = `WHERE sku = 'TEA'`;

const CHECK = '23514';

describe.each([
  ['the module itself', asInventory],
  ['the owner of the tables', asOwner],
])('not even %s can', (_, run) => {
  const refusalOf = async (sql: string) => {
    const error = await run(sql).then(
      () => 'done',
      (error: unknown) => error,
    );
    return { state: sqlStateOf(error), constraint: violatedConstraintOf(error), message: String(error) };
  };

  async function expectNothingChanged(): Promise<void> {
    expect(await figuresOf('TEA')).toEqual({ onHand: 10, reserved: 4, ledger: 10, held: 4 });
  }

  afterEach(expectNothingChanged);

  test.each([
    ['write the units on hand', `UPDATE inventory.stock SET on_hand = 11 ${ofTea}`],
    ['write the reserved units', `UPDATE inventory.stock SET reserved = 0 ${ofTea}`],
    [
      'insert a level that is not zero',
      `WITH p AS (INSERT INTO inventory.product SELECT 'NEW', '${other}', name, category, unit_amount, currency, status
                    FROM inventory.product ${ofTea})
       INSERT INTO inventory.stock (sku, on_hand, reorder_level) VALUES ('NEW', 5, 0)`,
    ],
    [
      'overwrite a level with an upsert',
      `INSERT INTO inventory.stock (sku, reorder_level) VALUES ('TEA', 0) ON CONFLICT (sku) DO UPDATE SET on_hand = 11`,
    ],
  ])('%s, because it follows from the ledger and the reservations', async (_name, sql) => {
    expect(await refusalOf(sql)).toMatchObject({
      state: CHECK,
      message: expect.stringContaining('a stock level follows'),
    });
  });

  test.each([
    ['take away more than is on hand', move(`('TEA', 'adjustment', -11, 'theft')`)],
    ['take away reserved units', move(`('TEA', 'adjustment', -7, 'theft')`)],
    ['reserve more than is available', reserve(`('${other}', 'TEA', 7)`)],
  ])('%s', async (_name, sql) => {
    expect(await refusalOf(sql)).toMatchObject({ state: CHECK, constraint: 'stock_is_never_oversold' });
  });

  test.each([
    ['reserve a product twice for one order', reserve(`('${order}', 'TEA', 1)`), 'reservation_pkey'],
    ['reserve a product without a level', reserve(`('${other}', 'UNICORN', 1)`), 'reservation_sku_fkey'],
    ['reserve 0 pieces', reserve(`('${other}', 'TEA', 0)`), 'reservation_quantity_check'],
    ['book a movement of 0 pieces', move(`('TEA', 'adjustment', 0, 'idle')`), 'movement_change_check'],
    ['book a movement of an unknown kind', move(`('TEA', 'gift', 1, 'kind')`), 'movement_kind_check'],
    ['delete a level that has movements', `DELETE FROM inventory.stock ${ofTea}`, expect.stringMatching(/_sku_fkey$/)],
    ['delete a product that has a level', `DELETE FROM inventory.product ${ofTea}`, 'stock_sku_fkey'],
    [
      'assign a level to another product',
      `UPDATE inventory.stock SET sku = 'COFFEE' ${ofTea}`,
      expect.stringMatching(/_sku_fkey$/),
    ],
  ])('%s', async (_name, sql, constraint) => {
    expect(await refusalOf(sql)).toMatchObject({ constraint });
  });

  test('book a movement of a product without a level', async () => {
    expect((await refusalOf(move(`('UNICORN', 'receipt', 1, 'PO-1')`))).state).toMatch(/^23/);
  });

  test.each([
    ['change a movement', `UPDATE inventory.movement SET change = 11 ${ofTea}`],
    ['delete a movement', `DELETE FROM inventory.movement ${ofTea}`],
    ['delete a reservation', `DELETE FROM inventory.reservation ${ofTea}`],
  ])('%s', async (_name, sql) => {
    expect(await refusalOf(sql)).toMatchObject({ state: CHECK, message: expect.stringContaining('is append-only') });
  });

  test.each(['movement', 'reservation', 'stock', 'product'])('truncate the table %s', async (table) => {
    const { message } = await refusalOf(`TRUNCATE inventory.${table} CASCADE`);
    expect(message).toMatch(/is append-only|permission denied/);
  });

  test.each([
    ['change the quantity of a reservation', `SET quantity = 3`],
    ['release a part of a reservation', `SET quantity = 3, state = 'released'`],
    ['assign a reservation to another order', `SET order_id = '${other}', state = 'released'`],
    ['hold a held reservation again', `SET state = 'held'`],
  ])('%s', async (_name, change) => {
    expect(await refusalOf(`UPDATE inventory.reservation ${change} ${ofTea}`)).toMatchObject({
      state: CHECK,
      message: expect.stringContaining('a reservation is held once'),
    });
  });

  test('hold a released reservation again', async () => {
    const sku = run === asOwner ? 'BUN' : 'JAM';
    await tenWithFourReserved(sku);
    await run(`UPDATE inventory.reservation SET state = 'released' WHERE sku = '${sku}'`);

    const refusal = await refusalOf(`UPDATE inventory.reservation SET state = 'held' WHERE sku = '${sku}'`);

    expect(refusal).toMatchObject({ state: CHECK });
    expect(await figuresOf(sku)).toEqual({ onHand: 10, reserved: 0, ledger: 10, held: 0 });
  });
});

describe('level, ledger and reservations of a product agree', () => {
  test('when one statement reserves it for several orders, and when one releases all of them', async () => {
    await tenWithFourReserved('HAM');

    await asOwner(reserve(`('${order}', 'HAM', 1), ('${other}', 'HAM', 2)`));
    expect(await figuresOf('HAM')).toEqual({ onHand: 10, reserved: 7, ledger: 10, held: 7 });
    await asOwner(`UPDATE inventory.reservation SET state = 'released' WHERE sku = 'HAM'`);

    expect(await figuresOf('HAM')).toEqual({ onHand: 10, reserved: 0, ledger: 10, held: 0 });
  });

  test('when one statement reserves more than is available for several orders: none of them gets it', async () => {
    await tenWithFourReserved('EGG');

    const both = asOwner(reserve(`('${order}', 'EGG', 4), ('${other}', 'EGG', 3)`));

    expect(violatedConstraintOf(await both.catch((error: unknown) => error))).toBe('stock_is_never_oversold');
    expect(await figuresOf('EGG')).toEqual({ onHand: 10, reserved: 4, ledger: 10, held: 4 });
  });

  test('when one statement books several movements, whatever `on_hand` it gives', async () => {
    await tenWithFourReserved('FIG');

    await asOwner(
      `INSERT INTO inventory.movement (sku, kind, change, reason, on_hand)
       VALUES ('FIG', 'receipt', 5, 'PO-2', 99), ('FIG', 'adjustment', -1, 'damaged', 99)`,
    );

    expect(await figuresOf('FIG')).toEqual({ onHand: 14, reserved: 4, ledger: 14, held: 4 });
    const lines = await stage.query(`SELECT on_hand::integer FROM inventory.movement WHERE sku = 'FIG' ORDER BY id`);
    expect(lines).toEqual([{ on_hand: 10 }, { on_hand: 15 }, { on_hand: 14 }]);
  });

  test('when a movement is inserted with the id of another one: it gets its own id', async () => {
    await tenWithFourReserved('OIL');

    await asOwner(
      `INSERT INTO inventory.movement (id, sku, kind, change, reason)
       SELECT id, sku, kind, 5, reason FROM inventory.movement WHERE sku = 'OIL' ON CONFLICT DO NOTHING`,
    );

    expect(await figuresOf('OIL')).toEqual({ onHand: 15, reserved: 4, ledger: 15, held: 4 });
  });
});

describe('the role of inventory', () => {
  test('reads no table of another module', async () => {
    const tables = await stage.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname IN ('orders', 'notifications', 'backbone')`,
    );
    const verbs = ['SELECT FROM', 'DELETE FROM'];
    const tried = tables.flatMap(({ name }) => verbs.map((verb) => `${verb} ${name}`));

    const states = await Promise.all(tried.map((sql) => asInventory(sql).then(() => 'allowed', sqlStateOf)));

    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['orders."order"', 'notifications.message', 'backbone.event']),
    );
    expect(new Set(states)).toEqual(new Set(['42501']));
  });

  test('is in force while its reactions run in transactions of other modules', async () => {
    await tenWithFourReserved('KEY');
    await stage.query('REVOKE INSERT ON inventory.reservation FROM orderly_inventory');

    const receiving = stage.receive(OrderPlaced({ orderId: randomUUID(), lines: [{ sku: 'KEY', quantity: 1 }] }));

    expect(await receiving.then(() => 'allowed', sqlStateOf)).toBe('42501');
    await stage.query('GRANT INSERT ON inventory.reservation TO orderly_inventory');
  });
});

test('the migration can be reverted, and run again', async () => {
  const runner = stage.app.get(Database).dataSource.createQueryRunner();
  const [migration] = definitionOf(InventoryModule).migrations.map((Migration) => new Migration());
  const parts = () =>
    runner.query(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'inventory'::regnamespace
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace`,
    );
  const before = await parts();
  await runner.startTransaction();

  await migration?.down(runner);
  expect(await parts()).toEqual([]);
  await migration?.up(runner);

  expect(await parts()).toHaveLength(before.length);
  await runner.rollbackTransaction();
  await runner.release();
});
