import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Database } from '../common/database/database.js';
import { sqlStateOf } from '../common/database/database-errors.js';
import { NDJSON } from '../common/http/ndjson.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { ProductListed, ProductRenamed, ProductRepriced, StockReceived } from './inventory.events.js';
import { InventoryModule } from './inventory.module.js';

const PATH = '/v1/products/import';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(InventoryModule);
});

afterAll(() => stage.close());

/** Every product has a level that equals the sum of its ledger, and one ProductListed event. */
async function expectAgreement(): Promise<void> {
  const mismatches = await stage.query(
    `SELECT sku FROM inventory.product p LEFT JOIN inventory.stock s USING (sku)
      WHERE s.on_hand IS DISTINCT FROM
              (SELECT coalesce(sum(change), 0) FROM inventory.movement m WHERE m.sku = p.sku)
         OR 1 <> (SELECT count(*) FROM backbone.event WHERE type = $1 AND subject = 'product/' || p.sku)`,
    [ProductListed.type],
  );
  expect(mismatches).toEqual([]);
}

afterEach(expectAgreement);

const unitPrice = { amount: 1_800, currency: 'USD' };
const terms = { name: 'Chai', category: 'Specs', unitPrice, reorderLevel: 10 };
const aLine = (sku: string, change: object = {}) => JSON.stringify({ sku, ...terms, ...change });
const someLines = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, nr) => aLine(`${prefix}-${nr}`, { category: prefix, onHand: nr }));

const importing = async (...lines: readonly string[]) => {
  const { status, body } = await stage.post(PATH, lines.join('\n'));
  expect(status).toBe(200);
  return body;
};

/** Sends the body in these chunks. */
const streaming = async (...chunks: readonly Buffer[]) => {
  const headers = { 'content-type': NDJSON };
  const answer = await stage.app.inject({ method: 'POST', url: PATH, headers, payload: Readable.from(chunks) });
  return answer.json();
};

let products = 0;
const aNewSku = () => `NEW-${++products}`;

const nothing = { listed: 0, changed: 0, unchanged: 0, rejected: [], rejectedTotal: 0 };
const product = async (sku: string) => (await stage.get(`/v1/products/${sku}`)).body;
const eventsOf = async (sku: string) => [
  ...(await stage.published(`product/${sku}`)),
  ...(await stage.published(`stock/${sku}`)),
];

test('a new product is listed with its units on hand, a different one is changed, and the others stay', async () => {
  await importing(aLine('OLD'), aLine('SAME', { onHand: 5 }));

  const report = await importing(
    aLine('NEW', { onHand: 39 }),
    aLine('OLD', { name: 'Masala Chai', unitPrice: { amount: 1_950, currency: 'USD' } }),
    aLine('SAME', { onHand: 5 }),
    aLine('EMPTY', { onHand: 0 }),
  );

  expect(report).toEqual({ ...nothing, listed: 2, changed: 1, unchanged: 1 });
  expect(await product('NEW')).toEqual({
    sku: 'NEW',
    ...terms,
    status: 'active',
    stock: { onHand: 39, reserved: 0, available: 39 },
  });
  expect(await eventsOf('NEW')).toEqual([
    ProductListed({ sku: 'NEW', name: 'Chai', unitPrice }),
    StockReceived({ sku: 'NEW', quantity: 39, reference: 'opening stock' }),
  ]);
  expect((await eventsOf('OLD')).slice(1)).toEqual([
    ProductRenamed({ sku: 'OLD', name: 'Masala Chai' }),
    ProductRepriced({ sku: 'OLD', unitPrice: { amount: 1_950, currency: 'USD' } }),
  ]);
  expect(await eventsOf('EMPTY')).toHaveLength(1);
});

test('units on hand are booked for a new product only', async () => {
  await importing(aLine('ONCE', { onHand: 10 }));

  expect(await importing(aLine('ONCE', { onHand: 99 }))).toEqual({ ...nothing, unchanged: 1 });

  expect(await product('ONCE')).toMatchObject({ stock: { onHand: 10 } });
});

test('a second import of several batches changes nothing and publishes nothing', async () => {
  const lines = someLines('TWICE', 450);
  expect(await importing(...lines)).toEqual({ ...nothing, listed: 450 });
  const before = (await stage.published()).length;

  expect(await importing(...lines)).toEqual({ ...nothing, unchanged: 450 });

  expect(await stage.published()).toHaveLength(before);
});

test('two concurrent imports of one catalogue list each product once', async () => {
  const lines = someLines('BOTH', 250);

  const reports = await Promise.all([importing(...lines), importing(...[...lines].reverse())]);

  expect(reports.map(({ listed, unchanged }) => listed + unchanged)).toEqual([250, 250]);
  expect(reports[0].listed + reports[1].listed).toBe(250);
});

test('an import locks products in the sequence of their SKUs, as orders do, so that the two never deadlock', async () => {
  await importing(aLine('KEY-1'), aLine('KEY-2'));
  const take = (sku: string) => `SELECT FROM inventory.stock WHERE sku = '${sku}' FOR UPDATE NOWAIT`;
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const blocker = stage.app.get(Database).dataSource.createQueryRunner();
  await blocker.startTransaction();
  await blocker.query(take('KEY-1'));

  const report = importing(aLine('KEY-2', { reorderLevel: 1 }), aLine('KEY-1', { reorderLevel: 1 }));
  const deadline = Date.now() + 4_000;
  while ((await stage.query(waiting)).length === 0 && Date.now() < deadline);
  const second = await blocker.query(take('KEY-2')).then(() => 'free', sqlStateOf);
  await blocker.rollbackTransaction();
  await blocker.release();

  expect(second).toBe('free');
  expect(await report).toEqual({ ...nothing, changed: 2 });
});

test('of two lines with one SKU, the first lists the product and the second changes it', async () => {
  const report = await importing(aLine('AGAIN', { onHand: 1 }), aLine('AGAIN', { name: 'Chai 2', onHand: 9 }));

  expect(report).toEqual({ ...nothing, listed: 1, changed: 1 });
  expect(await product('AGAIN')).toMatchObject({ name: 'Chai 2', stock: { onHand: 1 } });
});

test('a discontinued product stays discontinued', async () => {
  await importing(aLine('GONE'));
  await stage.post('/v1/products/GONE/discontinuation');

  expect(await importing(aLine('GONE', { name: 'Gone Chai' }))).toEqual({ ...nothing, changed: 1 });

  expect(await product('GONE')).toMatchObject({ status: 'discontinued' });
});

describe('a line', () => {
  const bad: [string, string, string, RegExp][] = [
    ['that breaks off', '{"sku":"BAD",', 'json-malformed', /not valid JSON/],
    ['of two products', `${aLine('BAD')},${aLine('BAD')}`, 'json-malformed', /not valid JSON/],
    ['with a field twice', aLine('BAD').replace('{', '{"name":"Tea",'), 'json-malformed', /two fields of one name/],
    ['that is nested too deep', `${'['.repeat(99)}${']'.repeat(99)}`, 'json-malformed', /nests deeper/],
    ['with a raw NUL', aLine('BAD', { name: 'Ch#ai' }).replace('#', '\0'), 'json-malformed', /not valid JSON/],
    ['with an escaped NUL', aLine('BAD', { name: 'Ch\0ai' }), 'request-invalid', /^name: /],
    ['with half a surrogate pair', aLine('BAD', { name: 'Chai \udc00' }), 'request-invalid', /^name: /],
    ['with an unknown field', aLine('BAD', { colour: 'red' }), 'request-invalid', /^colour: /],
    ['with a wrong type', aLine('BAD', { name: 5 }), 'request-invalid', /^name: /],
    ['without a SKU', aLine('BAD', { sku: undefined }), 'request-invalid', /^sku: /],
    ['with a malformed SKU', aLine('BAD!'), 'request-invalid', /^sku: /],
    ['with negative units on hand', aLine('BAD', { onHand: -1 }), 'request-invalid', /^onHand: /],
    [
      'with a negative price',
      aLine('BAD', { unitPrice: { amount: -1, currency: 'USD' } }),
      'request-invalid',
      /^unitPrice: /,
    ],
    ['with several errors', aLine('BAD', { name: '', onHand: 0.5 }), 'request-invalid', /^name: .* \(and 1 more\)$/],
    ['that is no object', '["BAD"]', 'request-invalid', /./],
    ['that is null', 'null', 'request-invalid', /./],
    ['that is too long', aLine('BAD', { name: 'x'.repeat(70_000) }), 'line-too-long', /at most 65536 bytes/],
  ];

  test.each(bad)('%s is reported with its number, and the others are imported', async (_, line, code, detail) => {
    const report = await importing(aLine(aNewSku()), '', line, aLine(aNewSku()));

    expect(report).toEqual({
      ...nothing,
      listed: 2,
      rejected: [{ line: 3, code, detail: expect.stringMatching(detail) }],
      rejectedTotal: 1,
    });
    expect(await stage.get('/v1/products/BAD')).toMatchObject({ status: 404 });
  });

  test('that is not UTF-8 is reported, and a valid one may be cut into chunks anywhere', async () => {
    const good = Buffer.from(aLine('CUT', { name: 'Gumbär 😀' }));
    const latin1 = Buffer.from(aLine('BAD', { name: 'Gumbär' }), 'latin1');
    const bytes = Buffer.concat([latin1, Buffer.from('\n'), good]);
    const oneByOne = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

    const report = await streaming(...oneByOne);

    expect(report).toMatchObject({ listed: 1, rejected: [{ line: 1, code: 'json-malformed' }] });
    expect(await product('CUT')).toMatchObject({ name: 'Gumbär 😀' });
  });

  test('may end with CRLF or without a line break, and blank lines are counted', async () => {
    const [first, second, third] = [aNewSku(), aNewSku(), aNewSku()];
    const file = `\ufeff${aLine(first)}\r\n\r\n  \n${aLine(second)}\r\nbad\r\n${aLine(third)}`;

    expect(await importing(file)).toMatchObject({ listed: 3, rejected: [{ line: 5 }] });
  });

  test('that is invalid is listed among the first thousand, and always counted', async () => {
    const report = await importing(...Array.from({ length: 1_005 }, () => 'bad'), aLine(aNewSku()));

    expect(report).toMatchObject({ listed: 1, rejectedTotal: 1_005 });
    expect(report.rejected).toHaveLength(1_000);
    expect(report.rejected.at(-1)).toMatchObject({ line: 1_000 });
  });
});

test('an import of blank lines imports nothing', async () => {
  expect(await importing('', ' ', '')).toEqual(nothing);
});

test.each([
  ['without a body', undefined, {}, 400, 'body-missing'],
  ['of another media type', aLine('BAD'), { 'content-type': 'application/json' }, 415, 'media-type-unsupported'],
  [
    'that is compressed',
    aLine('BAD'),
    { 'content-type': NDJSON, 'content-encoding': 'gzip' },
    415,
    'media-type-unsupported',
  ],
])('an import %s is refused', async (_, payload, headers, status, code) => {
  const answer = await stage.app.inject({ method: 'POST', url: PATH, headers, ...(payload && { payload }) });

  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code });
});

test('an upload that breaks off stores whole batches, and the next import completes it', async () => {
  const lines = someLines('HALF', 350);
  await stage.app.listen(0, '127.0.0.1');
  const server = stage.app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  const stored = async () => {
    const [row] = await stage.query<{ count: number }>(
      `SELECT count(*)::integer FROM inventory.product WHERE category = 'HALF'`,
    );
    return row?.count;
  };

  const upload = request({ port, path: PATH, method: 'POST', headers: { 'content-type': NDJSON } });
  upload.on('error', () => undefined);
  upload.write(lines.slice(0, 300).join('\n'));
  const [socket] = await once(server, 'connection');
  const deadline = Date.now() + 4_000;
  while ((await stored()) === 0 && Date.now() < deadline);
  upload.destroy();
  await once(socket, 'close');

  expect(await stored()).toBe(200);
  await expectAgreement();
  expect(await importing(...lines)).toEqual({ ...nothing, listed: 150, unchanged: 200 });
});
