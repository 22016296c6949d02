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

/** Every product of an import has a level, which its ledger sums to, and was said to be listed once. */
async function expectAgreement(): Promise<void> {
  const disagreeing = await stage.query(
    `SELECT sku FROM inventory.product p LEFT JOIN inventory.stock s USING (sku)
      WHERE s.on_hand IS DISTINCT FROM
              (SELECT coalesce(sum(change), 0) FROM inventory.movement m WHERE m.sku = p.sku)
         OR 1 <> (SELECT count(*) FROM backbone.event WHERE type = $1 AND subject = 'product/' || p.sku)`,
    [ProductListed.type],
  );
  expect(disagreeing).toEqual([]);
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

/** Sends the body in these pieces. */
const streaming = async (...chunks: readonly Buffer[]) => {
  const headers = { 'content-type': NDJSON };
  const answer = await stage.app.inject({ method: 'POST', url: PATH, headers, payload: Readable.from(chunks) });
  return answer.json();
};

let products = 0;
const aNewSku = () => `NEW-${++products}`;

const nothing = { listed: 0, changed: 0, unchanged: 0, rejected: [], rejectedTotal: 0 };
const product = async (sku: string) => (await stage.get(`/v1/products/${sku}`)).body;
const saidOf = async (sku: string) => [
  ...(await stage.published(`product/${sku}`)),
  ...(await stage.published(`stock/${sku}`)),
];

test('what is new is listed with what is on hand, what differs is changed, and the rest stays', async () => {
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
  expect(await saidOf('NEW')).toEqual([
    ProductListed({ sku: 'NEW', name: 'Chai', unitPrice }),
    StockReceived({ sku: 'NEW', quantity: 39, reference: 'opening stock' }),
  ]);
  expect((await saidOf('OLD')).slice(1)).toEqual([
    ProductRenamed({ sku: 'OLD', name: 'Masala Chai' }),
    ProductRepriced({ sku: 'OLD', unitPrice: { amount: 1_950, currency: 'USD' } }),
  ]);
  expect(await saidOf('EMPTY')).toHaveLength(1);
});

test('what is on hand counts for a product that is new, and never again', async () => {
  await importing(aLine('ONCE', { onHand: 10 }));

  expect(await importing(aLine('ONCE', { onHand: 99 }))).toEqual({ ...nothing, unchanged: 1 });

  expect(await product('ONCE')).toMatchObject({ stock: { onHand: 10 } });
});

test('a catalogue of several batches that is imported twice changes nothing and says nothing the second time', async () => {
  const lines = someLines('TWICE', 450);
  expect(await importing(...lines)).toEqual({ ...nothing, listed: 450 });
  const before = (await stage.published()).length;

  expect(await importing(...lines)).toEqual({ ...nothing, unchanged: 450 });

  expect(await stage.published()).toHaveLength(before);
});

test('a catalogue that two import at once is listed once', async () => {
  const lines = someLines('BOTH', 250);

  const reports = await Promise.all([importing(...lines), importing(...[...lines].reverse())]);

  expect(reports.map(({ listed, unchanged }) => listed + unchanged)).toEqual([250, 250]);
  expect(reports[0].listed + reports[1].listed).toBe(250);
});

test('an import takes products in the order of their SKUs, as orders do, so that the two never deadlock', async () => {
  await importing(aLine('KEY-1'), aLine('KEY-2'));
  const take = (sku: string) => `SELECT FROM inventory.stock WHERE sku = '${sku}' FOR UPDATE NOWAIT`;
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const someone = stage.app.get(Database).dataSource.createQueryRunner();
  await someone.startTransaction();
  await someone.query(take('KEY-1'));

  const report = importing(aLine('KEY-2', { reorderLevel: 1 }), aLine('KEY-1', { reorderLevel: 1 }));
  const deadline = Date.now() + 4_000;
  while ((await stage.query(waiting)).length === 0 && Date.now() < deadline);
  const second = await someone.query(take('KEY-2')).then(() => 'free', sqlStateOf);
  await someone.rollbackTransaction();
  await someone.release();

  expect(second).toBe('free');
  expect(await report).toEqual({ ...nothing, changed: 2 });
});

test('of a product that comes twice the first line lists it and the second changes it', async () => {
  const report = await importing(aLine('AGAIN', { onHand: 1 }), aLine('AGAIN', { name: 'Chai 2', onHand: 9 }));

  expect(report).toEqual({ ...nothing, listed: 1, changed: 1 });
  expect(await product('AGAIN')).toMatchObject({ name: 'Chai 2', stock: { onHand: 1 } });
});

test('a product that is no longer sold stays so', async () => {
  await importing(aLine('GONE'));
  await stage.post('/v1/products/GONE/discontinuation');

  expect(await importing(aLine('GONE', { name: 'Gone Chai' }))).toEqual({ ...nothing, changed: 1 });

  expect(await product('GONE')).toMatchObject({ status: 'discontinued' });
});

describe('a line', () => {
  const bad: [string, string, string, RegExp][] = [
    ['that breaks off', '{"sku":"BAD",', 'json-malformed', /not valid JSON/],
    ['of two products', `${aLine('BAD')},${aLine('BAD')}`, 'json-malformed', /not valid JSON/],
    [
      'that says something twice',
      aLine('BAD').replace('{', '{"name":"Tea",'),
      'json-malformed',
      /two fields of one name/,
    ],
    ['that is nested without end', `${'['.repeat(99)}${']'.repeat(99)}`, 'json-malformed', /nests deeper/],
    ['with a raw NUL', aLine('BAD', { name: 'Ch#ai' }).replace('#', '\0'), 'json-malformed', /not valid JSON/],
    ['with an escaped NUL', aLine('BAD', { name: 'Ch\0ai' }), 'request-invalid', /^name: /],
    ['with half a character', aLine('BAD', { name: 'Chai \udc00' }), 'request-invalid', /^name: /],
    ['with an unknown field', aLine('BAD', { colour: 'red' }), 'request-invalid', /^colour: /],
    ['with a wrong type', aLine('BAD', { name: 5 }), 'request-invalid', /^name: /],
    ['without a SKU', aLine('BAD', { sku: undefined }), 'request-invalid', /^sku: /],
    ['with a SKU that is none', aLine('BAD!'), 'request-invalid', /^sku: /],
    ['with less than nothing on hand', aLine('BAD', { onHand: -1 }), 'request-invalid', /^onHand: /],
    [
      'with a negative price',
      aLine('BAD', { unitPrice: { amount: -1, currency: 'USD' } }),
      'request-invalid',
      /^unitPrice: /,
    ],
    ['with several faults', aLine('BAD', { name: '', onHand: 0.5 }), 'request-invalid', /^name: .* \(and 1 more\)$/],
    ['that is no object', '["BAD"]', 'request-invalid', /./],
    ['that is null', 'null', 'request-invalid', /./],
    ['that is too long', aLine('BAD', { name: 'x'.repeat(70_000) }), 'line-too-long', /at most 65536 bytes/],
  ];

  test.each(bad)('%s is reported with its number, and the rest goes on', async (_, line, code, detail) => {
    const report = await importing(aLine(aNewSku()), '', line, aLine(aNewSku()));

    expect(report).toEqual({
      ...nothing,
      listed: 2,
      rejected: [{ line: 3, code, detail: expect.stringMatching(detail) }],
      rejectedTotal: 1,
    });
    expect(await stage.get('/v1/products/BAD')).toMatchObject({ status: 404 });
  });

  test('that is not UTF-8 is reported, and one that is may be cut anywhere', async () => {
    const good = Buffer.from(aLine('CUT', { name: 'Gumbär 😀' }));
    const latin1 = Buffer.from(aLine('BAD', { name: 'Gumbär' }), 'latin1');
    const bytes = Buffer.concat([latin1, Buffer.from('\n'), good]);
    const oneByOne = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

    const report = await streaming(...oneByOne);

    expect(report).toMatchObject({ listed: 1, rejected: [{ line: 1, code: 'json-malformed' }] });
    expect(await product('CUT')).toMatchObject({ name: 'Gumbär 😀' });
  });

  test('may end like on Windows or not at all, and blank ones count', async () => {
    const [first, second, third] = [aNewSku(), aNewSku(), aNewSku()];
    const file = `\ufeff${aLine(first)}\r\n\r\n  \n${aLine(second)}\r\nbad\r\n${aLine(third)}`;

    expect(await importing(file)).toMatchObject({ listed: 3, rejected: [{ line: 5 }] });
  });

  test('that is bad is named among the first thousand, and counted in any case', async () => {
    const report = await importing(...Array.from({ length: 1_005 }, () => 'bad'), aLine(aNewSku()));

    expect(report).toMatchObject({ listed: 1, rejectedTotal: 1_005 });
    expect(report.rejected).toHaveLength(1_000);
    expect(report.rejected.at(-1)).toMatchObject({ line: 1_000 });
  });
});

test('nothing but blank lines is an import of nothing', async () => {
  expect(await importing('', ' ', '')).toEqual(nothing);
});

test.each([
  ['without a body', undefined, {}, 400, 'body-missing'],
  ['of another media type', aLine('BAD'), { 'content-type': 'application/json' }, 415, 'media-type-unsupported'],
  [
    'that is packed',
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

test('an upload that breaks off leaves whole batches, and is completed by the next one', async () => {
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
