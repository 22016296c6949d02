import { randomUUID } from 'node:crypto';
import { Database } from '../common/database/database.js';
import { sqlStateOf, violatedConstraintOf } from '../common/database/database-errors.js';
import { ProductListed, StockReserved } from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrdersModule } from './orders.module.js';

let orders: ModuleStage;

beforeAll(async () => {
  orders = await ModuleStage.of(OrdersModule);
  await orders.receive(ProductListed({ sku: 'TEA', name: 'Tea', unitPrice: { amount: 1_450, currency: 'USD' } }));
});

afterAll(() => orders.close());

const customer = { name: 'Paul Henriot', email: 'paul@customer.example' };
const shippingAddress = { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' };
const aLine = (change: object = {}) => ({ sku: 'TEA', quantity: 2, ...change });
const anOrder = (change: object = {}) => ({ customer, shippingAddress, lines: [aLine()], ...change });
const linesOf = (count: number) => Array.from({ length: count }, () => aLine());

const place = (change: object = {}) => orders.post('/v1/orders', anOrder(change));

/** Counts all rows that a request could have added or changed. */
async function traces() {
  const [counts] = await orders.query(`
    SELECT (SELECT count(*) FROM orders."order") AS orders, (SELECT count(*) FROM orders.order_line) AS lines,
           (SELECT sum(version) FROM orders."order") AS versions, (SELECT count(*) FROM backbone.event) AS events`);
  return counts;
}

const unknown = 'This field is not known here';
const missing = 'This field is required';
const unclean = 'Give one line of text without control characters';
const noAddress = 'Give an e-mail address';
const tooLong = (max: number) => `Give at most ${max} characters`;

describe('an order is refused, and leaves nothing, for', () => {
  test.each<[what: string, body: object, path: string, message: string]>([
    ['an unknown field', anOrder({ price: 1 }), 'price', unknown],
    ['a status of its own', anOrder({ status: 'confirmed' }), 'status', unknown],
    ['an unknown field of the customer', anOrder({ customer: { ...customer, vip: true } }), 'customer.vip', unknown],
    [
      'an unknown field of the address',
      anOrder({ shippingAddress: { ...shippingAddress, planet: 'Mars' } }),
      'shippingAddress.planet',
      unknown,
    ],
    ['an unknown field of a line', anOrder({ lines: [aLine({ discount: 5 })] }), 'lines[0].discount', unknown],
    ['a price', anOrder({ lines: [aLine(), aLine({ unitPrice: { amount: 1 } })] }), 'lines[1].unitPrice', unknown],
    ['no customer', anOrder({ customer: undefined }), 'customer', missing],
    ['no address', anOrder({ shippingAddress: undefined }), 'shippingAddress', missing],
    ['no lines', anOrder({ lines: undefined }), 'lines', missing],
    ['an empty list of lines', anOrder({ lines: [] }), 'lines', 'Give at least 1 item'],
    ['201 lines', anOrder({ lines: linesOf(201) }), 'lines', 'Give at most 200 items'],
    ['lines that are no list', anOrder({ lines: { 0: aLine() } }), 'lines', 'Give a list'],
    ['quantity 0', anOrder({ lines: [aLine({ quantity: 0 })] }), 'lines[0].quantity', 'Give at least 1'],
    ['a negative quantity', anOrder({ lines: [aLine({ quantity: -3 })] }), 'lines[0].quantity', 'Give at least 1'],
    ['half a piece', anOrder({ lines: [aLine({ quantity: 1.5 })] }), 'lines[0].quantity', 'Give a whole number'],
    ['1e7 pieces', anOrder({ lines: [aLine({ quantity: 1e7 })] }), 'lines[0].quantity', 'Give at most 1000000'],
    ['"2" pieces', anOrder({ lines: [aLine({ quantity: '2' })] }), 'lines[0].quantity', 'Give a number'],
    ['no quantity', anOrder({ lines: [{ sku: 'TEA' }] }), 'lines[0].quantity', missing],
    [
      'a SKU with blanks',
      anOrder({ lines: [aLine({ sku: 'T E A' })] }),
      'lines[0].sku',
      expect.stringMatching(/letters/),
    ],
    ['an empty SKU', anOrder({ lines: [aLine({ sku: '' })] }), 'lines[0].sku', expect.stringMatching(/letters/)],
    ['an empty name', anOrder({ customer: { ...customer, name: ' ' } }), 'customer.name', 'Give at least 1 character'],
    [
      'a name of 10,000 characters',
      anOrder({ customer: { ...customer, name: 'x'.repeat(10_000) } }),
      'customer.name',
      tooLong(200),
    ],
    ['a reference of 101 characters', anOrder({ reference: 'x'.repeat(101) }), 'reference', tooLong(100)],
    ['a NUL in a name', anOrder({ customer: { ...customer, name: 'Paul\0Henriot' } }), 'customer.name', unclean],
    [
      'half a surrogate pair in a street',
      anOrder({ shippingAddress: { ...shippingAddress, street: 'a\ud83d b' } }),
      'shippingAddress.street',
      unclean,
    ],
    ['a line break in a name', anOrder({ customer: { ...customer, name: 'P\r\nBcc: x' } }), 'customer.name', unclean],
    ['a bidi control in a reference', anOrder({ reference: 'abc\u202Edef' }), 'reference', unclean],
    ['an address without an at', anOrder({ customer: { ...customer, email: 'paul' } }), 'customer.email', noAddress],
    [
      'an address without a domain',
      anOrder({ customer: { ...customer, email: 'paul@' } }),
      'customer.email',
      noAddress,
    ],
    [
      'two addresses',
      anOrder({ customer: { ...customer, email: 'a@b.example,c@d.example' } }),
      'customer.email',
      noAddress,
    ],
    [
      'an address with another header in it',
      anOrder({ customer: { ...customer, email: 'paul@customer.example\r\nBcc: thief@evil.example' } }),
      'customer.email',
      noAddress,
    ],
    [
      'an address that is longer than mail allows',
      anOrder({ customer: { ...customer, email: `${'a'.repeat(250)}@customer.example` } }),
      'customer.email',
      expect.any(String),
    ],
    [
      'a number for a country',
      anOrder({ shippingAddress: { ...shippingAddress, country: 33 } }),
      'shippingAddress.country',
      'Give a text',
    ],
    ['a null for a reference', anOrder({ reference: null }), 'reference', 'Give a text'],
  ])('%s', async (_what, body, path, message) => {
    const before = await traces();

    const answer = await orders.post('/v1/orders', body);

    expect([answer.status, answer.body.code]).toEqual([400, 'request-invalid']);
    expect(answer.body.errors).toContainEqual({ path, message });
    expect(await traces()).toEqual(before);
  });

  test('several reasons, all of which are reported', async () => {
    const { body } = await place({ customer: { name: '', email: 'paul' }, lines: [aLine({ quantity: 0 })], extra: 1 });

    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'customer.email',
      'customer.name',
      'extra',
      'lines[0].quantity',
    ]);
  });

  test('products that are not for sale, a mix of currencies and a total too large, which are no validation errors', async () => {
    await orders.receive(
      ProductListed({ sku: 'YEN', name: 'Yen', unitPrice: { amount: 1, currency: 'JPY' } }),
      ProductListed({ sku: 'GOLD', name: 'Gold', unitPrice: { amount: 9_000_000_000_000_000, currency: 'USD' } }),
    );
    const before = await traces();

    const answers = [
      await place({ lines: [aLine({ sku: 'GHOST' })] }),
      await place({ lines: [aLine(), aLine({ sku: 'YEN' })] }),
      await place({ lines: [aLine({ sku: 'GOLD' })] }),
    ];

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [422, 'products-not-for-sale'],
      [422, 'mixed-currencies'],
      [422, 'total-too-large'],
    ]);
    expect(await traces()).toEqual(before);
  });
});

describe('an order is accepted with', () => {
  test.each([
    ['SQL for a name', 'Robert\'); DROP TABLE orders."order"; --'],
    ['HTML for a name', '<script>alert("1")</script><img src=x onerror=alert(2)> & co'],
    ['a template for a name', '${7*7} {{7*7}} %s $1 \\u0000'],
    ['signs of all kinds for a name', 'Jürgen Łukasz 王小明 محمد 👩‍👩‍👧‍👦 e\u0301'],
    ['a name that is as long as it may be', 'é'.repeat(200)],
    ['the name of a property', '__proto__'],
  ])('%s, and returns it unchanged', async (_what, name) => {
    const { status, body } = await place({
      customer: { ...customer, name },
      shippingAddress: { ...shippingAddress, name, street: name },
    });

    expect([status, body.customer.name]).toEqual([201, name]);
    expect((await orders.get(`/v1/orders/${body.id}`)).body).toEqual(body);
    expect(body.shippingAddress).toEqual({ ...shippingAddress, name, street: name });
  });

  test('200 lines of a million pieces each, in their sequence', async () => {
    const lines = linesOf(200).map((line, index) => ({ ...line, quantity: 1_000_000 - index }));

    const { status, body } = await place({ lines });

    const pieces = 200 * 1_000_000 - (199 * 200) / 2;
    expect([status, body.total]).toEqual([201, { amount: 1_450 * pieces, currency: 'USD' }]);
    const { body: stored } = await orders.get(`/v1/orders/${body.id}`);
    expect(stored.lines.map(({ quantity }: { quantity: number }) => quantity)).toEqual(
      lines.map(({ quantity }) => quantity),
    );
  });

  test('spaces around its texts, which are removed', async () => {
    const { body } = await place({ customer: { ...customer, name: '  Paul  ' }, reference: ' 10248 ' });

    expect(body).toMatchObject({ customer: { name: 'Paul' }, reference: '10248' });
  });
});

describe('a change of an order is refused for', () => {
  let id: string;

  beforeAll(async () => {
    id = (await place()).body.id;
    await orders.receive(StockReserved({ orderId: id }));
  });

  test.each<[what: string, request: string, body: object, path: string, message: string]>([
    ['no reason', 'cancellation', {}, 'reason', missing],
    ['an empty reason', 'cancellation', { reason: '' }, 'reason', 'Give at least 1 character'],
    ['a reason of 501 characters', 'cancellation', { reason: 'x'.repeat(501) }, 'reason', tooLong(500)],
    ['a NUL in a reason', 'cancellation', { reason: 'a\0' }, 'reason', unclean],
    ['a refund', 'cancellation', { reason: 'late', refund: 5 }, 'refund', unknown],
    ['no tracking number', 'shipment', { carrier: 'UPS' }, 'trackingNumber', missing],
    ['a carrier that is a number', 'shipment', { carrier: 1, trackingNumber: '1Z' }, 'carrier', 'Give a text'],
    ['a date', 'shipment', { carrier: 'UPS', trackingNumber: '1Z', date: 'today' }, 'date', unknown],
    ['a signature', 'delivery', { signature: 'Paul' }, 'signature', unknown],
  ])('%s', async (_what, request, body, path, message) => {
    const before = await traces();

    const answer = await orders.post(`/v1/orders/${id}/${request}`, body);

    expect([answer.status, answer.body.code]).toEqual([400, 'request-invalid']);
    expect(answer.body.errors).toContainEqual({ path, message });
    expect(await traces()).toEqual(before);
  });

  test.each(['cancellation', 'shipment'])('no body: %s', async (request) => {
    expect(await orders.post(`/v1/orders/${id}/${request}`)).toMatchObject({
      status: 400,
      body: { code: 'body-missing' },
    });
  });

  test.each(['1', 'NW-11', '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b0', "'%20OR%20'1'='1", '%00'])(
    'a malformed id: %s',
    async (noId) => {
      const answers = [
        await orders.get(`/v1/orders/${noId}`),
        await orders.get(`/v1/orders/${noId}/timeline`),
        await orders.post(`/v1/orders/${noId}/cancellation`, { reason: 'late' }),
        await orders.post(`/v1/orders/${noId}/shipment`, { carrier: 'UPS', trackingNumber: '1Z' }),
        await orders.post(`/v1/orders/${noId}/delivery`, {}),
      ];

      for (const { status, body } of answers)
        expect([status, body.code, body.errors]).toEqual([
          400,
          'request-invalid',
          [{ path: 'id', message: 'Give a UUID' }],
        ]);
    },
  );
});

/** Runs a statement under the role of the module itself. */
const asOrders = (sql: string): Promise<unknown> =>
  orders.app.get(Database).transaction('orders', ({ manager }) => manager.query(sql));
/** Runs a statement as the owner of the tables, like SQL by hand. */
const asOwner = (sql: string): Promise<unknown> => orders.query(sql);

describe.each([
  ['the module itself', asOrders],
  ['the owner of the tables', asOwner],
])('not even %s can', (_who, run) => {
  let id: string;

  beforeAll(async () => {
    id = (await place()).body.id;
  });

  const CHECK = '23514';
  const UNIQUE = '23505';
  const FOREIGN_KEY = '23503';
  const NOT_NULL = '23502';

  const change = (what: string) => `UPDATE orders."order" SET ${what} WHERE id = '$id'`;
  const addLine = (values: string) =>
    `INSERT INTO orders.order_line (order_id, number, sku, name, quantity, unit_amount) VALUES (${values})`;

  test.each<[what: string, state: string, constraint: string | undefined, sql: string]>([
    ['set an unknown status', CHECK, 'order_status_check', change(`status = 'lost'`)],
    ['give an order a negative total', CHECK, 'order_total_amount_check', change('total_amount = -1')],
    ['reject an order without a reason', CHECK, 'order_rejection_says_why', change(`status = 'rejected'`)],
    ['give a reason to an order that is not rejected', CHECK, 'order_rejection_says_why', change(`rejection = '{}'`)],
    ['remove the customer', NOT_NULL, undefined, change('customer_name = NULL')],
    ['remove the address', NOT_NULL, undefined, change('shipping_address = NULL')],
    ['order 0 pieces', CHECK, 'order_line_quantity_check', addLine(`'$id', 2, 'TEA', 'Tea', 0, 1`)],
    ['give a line a negative price', CHECK, 'order_line_unit_amount_check', addLine(`'$id', 2, 'TEA', 'Tea', 1, -1`)],
    ['insert a line twice', UNIQUE, 'order_line_pkey', addLine(`'$id', 1, 'TEA', 'Tea', 1, 1`)],
    [
      'add a line to no order',
      FOREIGN_KEY,
      'order_line_order_id_fkey',
      addLine(`'${randomUUID()}', 1, 'TEA', 'Tea', 1, 1`),
    ],
    [
      'delete an order that has lines',
      FOREIGN_KEY,
      'order_line_order_id_fkey',
      `DELETE FROM orders."order" WHERE id = '$id'`,
    ],
    ['give a product two prices', UNIQUE, 'price_pkey', `INSERT INTO orders.price SELECT * FROM orders.price`],
  ])('%s', async (_what, state, constraint, sql) => {
    const before = (await orders.get(`/v1/orders/${id}`)).body;

    const refusal = await run(sql.replace('$id', id)).then(
      () => 'done',
      (error: unknown) => error,
    );

    expect([sqlStateOf(refusal), violatedConstraintOf(refusal)]).toEqual([state, constraint]);
    expect((await orders.get(`/v1/orders/${id}`)).body).toEqual(before);
  });
});

describe('the role of orders', () => {
  test('reads and changes no table of another module', async () => {
    const tables = await orders.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname IN ('inventory', 'notifications', 'backbone')`,
    );
    const tried = tables.flatMap(({ name }) => ['SELECT FROM', 'DELETE FROM'].map((verb) => `${verb} ${name}`));

    const states = await Promise.all(tried.map((sql) => asOrders(sql).then(() => 'allowed', sqlStateOf)));

    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['inventory.stock', 'notifications.message', 'backbone.event', 'backbone.delivery']),
    );
    expect(new Set(states)).toEqual(new Set(['42501']));
  });

  test('creates, changes and drops no table', async () => {
    const tried = [
      'CREATE TABLE orders.extra (id int)',
      'DROP TABLE orders.price',
      'ALTER TABLE orders.price ADD x int',
    ];

    const states = await Promise.all(tried.map((sql) => asOrders(sql).then(() => 'allowed', sqlStateOf)));

    expect(new Set(states)).toEqual(new Set(['42501']));
  });

  test('is in force while its reactions run in transactions of other modules', async () => {
    const { body } = await place();
    await orders.query('REVOKE UPDATE ON orders."order" FROM orderly_orders');

    const receiving = orders.receive(StockReserved({ orderId: body.id }));

    expect(await receiving.then(() => 'allowed', sqlStateOf)).toBe('42501');
    await orders.query('GRANT UPDATE ON orders."order" TO orderly_orders');
    expect((await orders.get(`/v1/orders/${body.id}`)).body.status).toBe('placed');
  });
});
