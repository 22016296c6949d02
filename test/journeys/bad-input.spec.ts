import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Stage } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A bad request, and the status and problem code of its answer. */
type Mistake = readonly [name: string, request: Request, status: number, code: string];

const UNKNOWN_ID = '0192f3c2-7a1b-7c3d-9e4f-5a6b4f2a91c3';
const JSON_TYPE = { 'content-type': 'application/json' };
const TEN_MB = Buffer.alloc(10 * 1024 * 1024, 0x20);

const stage = new Stage();
let shop: Program;
let rows: unknown;
const ids = { rejected: '', confirmed: '', cancelled: '' };

beforeAll(async () => {
  shop = await stage.shop();
  const dear = { unitPrice: { amount: 9_000_000_000_000_000, currency: 'USD' } };
  const foreign = { unitPrice: { amount: 100, currency: 'EUR' } };
  await stock(
    shop,
    aProduct('TEA', 10),
    aProduct('OLD', 10),
    aProduct('DEAR', 10, dear),
    aProduct('EURO', 10, foreign),
  );
  await shop.post('/v1/products/OLD/discontinuation');
  ids.confirmed = (await place(shop)).id;
  ids.rejected = (await place(shop, anOrder([{ sku: 'TEA', quantity: 100 }]))).id;
  ids.cancelled = (await place(shop)).id;
  await shop.post(`/v1/orders/${ids.cancelled}/cancellation`, { reason: 'changed plans' });
  await stage.quiet();
  rows = await countRows();
});

afterAll(() => stage.clear());

/** The number of rows of each table of the modules and of the backbone. */
function countRows(): Promise<unknown[]> {
  return stage.sql(`
    SELECT table_schema, table_name,
           (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name),
                                             true, true, '')))[1]::text AS rows
      FROM information_schema.tables
     WHERE table_schema IN ('orders', 'inventory', 'notifications', 'backbone') ORDER BY 1, 2`);
}

async function send({ method = 'POST', path, body, headers = body === undefined ? {} : JSON_TYPE }: Request) {
  const { hostname, port } = new URL(shop.url);
  const request = httpRequest({ hostname, port, method, path, headers, agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  const text = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, type: response.headers['content-type'], text };
}

async function expectRefusal(answer: Awaited<ReturnType<typeof send>>, status: number, code: string): Promise<void> {
  expect(answer).toMatchObject({ status, type: 'application/problem+json' });
  expect(JSON.parse(answer.text)).toMatchObject({
    status,
    code,
    detail: expect.any(String),
    title: expect.any(String),
  });
  expect(answer.text).not.toMatch(/node_modules|SELECT|INSERT|at \w+ \(/);
  expect(await countRows()).toEqual(rows);
}

const order = (change: object): Request => ({ path: '/v1/orders', body: JSON.stringify({ ...anOrder(), ...change }) });
const line = (change: object) => order({ lines: [{ sku: 'TEA', quantity: 1, ...change }] });
const customer = (change: object) => order({ customer: { name: 'Maria', email: 'maria@example.com', ...change } });
const bytes = (body: string | Buffer, headers?: Request['headers']): Request => ({
  path: '/v1/orders',
  body,
  headers: { ...JSON_TYPE, ...headers },
});
const get = (path: string): Request => ({ method: 'GET', path });
const post = (path: string, body: object = {}): Request => ({ path, body: JSON.stringify(body) });
const put = (path: string, change: object): Request => {
  const product = { ...aProduct('NEW', 0), sku: undefined, onHand: undefined };
  return { method: 'PUT', path, body: JSON.stringify({ ...product, ...change }) };
};
const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

const INVALID: readonly (readonly [string, Request])[] = [
  ['an unknown field', order({ coupon: 'HALF' })],
  ['a price set by the customer', line({ unitPrice: { amount: 1, currency: 'USD' } })],
  ['a field called constructor', order({ constructor: {} })],
  ['no customer', order({ customer: undefined })],
  ['a customer that is null', order({ customer: null })],
  ['an array for an order', bytes('[]')],
  ['a string for an order', bytes('"order"')],
  ['nothing for an order', bytes('null')],
  ['an address that is no e-mail address', customer({ email: 'maria at example' })],
  ['two recipients', customer({ email: 'maria@example.com,eve@example.com' })],
  ['a header in an address', customer({ email: 'maria@example.com\r\nBcc: eve@example.com' })],
  ['a name of 10,000 characters', customer({ name: 'x'.repeat(10_000) })],
  ['a name with a NUL byte', customer({ name: 'Maria\0' })],
  ['a name with half a surrogate pair', bytes(JSON.stringify({ ...anOrder(), reference: '\ud800' }))],
  ['a name with a right-to-left override', customer({ name: 'Maria\u202e' })],
  ['an empty name', customer({ name: ' ' })],
  ['a number for a name', customer({ name: 5 })],
  ['no lines', order({ lines: [] })],
  ['201 lines', order({ lines: Array.from({ length: 201 }, () => ({ sku: 'TEA', quantity: 1 })) })],
  ['quantity 0', line({ quantity: 0 })],
  ['a quantity below 0', line({ quantity: -1 })],
  ['a fractional quantity', line({ quantity: 0.5 })],
  ['a quantity above a million', line({ quantity: 1_000_001 })],
  [
    'a quantity that is infinite as a number',
    bytes(JSON.stringify(anOrder()).replace('"quantity":1', '"quantity":1e999')),
  ],
  ['a string for a quantity', line({ quantity: '1' })],
  ['an invalid SKU', line({ sku: "TEA' OR 1=1 --" })],
  ['a SKU with a NUL byte', line({ sku: 'TEA\0' })],
  ['an order id that is a number', get('/v1/orders/1')],
  ['an order id that is a NUL byte', get('/v1/orders/%00')],
  ['a cancellation of an order id that is a number', post('/v1/orders/1/cancellation', { reason: 'x' })],
  ['a cancellation without a reason', post(`/v1/orders/${UNKNOWN_ID}/cancellation`)],
  ['a shipment without a carrier', post(`/v1/orders/${UNKNOWN_ID}/shipment`, { trackingNumber: 'SE-1' })],
  ['a delivery with an unknown field', post(`/v1/orders/${UNKNOWN_ID}/delivery`, { to: 'the neighbour' })],
  ['a product with an invalid SKU', get('/v1/products/%C3%A4')],
  ['a product without a price', put('/v1/products/NEW', { unitPrice: undefined })],
  ['a price below 0', put('/v1/products/NEW', { unitPrice: { amount: -1, currency: 'USD' } })],
  ['a price in fractions of a cent', put('/v1/products/NEW', { unitPrice: { amount: 0.5, currency: 'USD' } })],
  ['a price above the largest safe integer', put('/v1/products/NEW', { unitPrice: { amount: 1e16, currency: 'USD' } })],
  ['an invalid currency', put('/v1/products/NEW', { unitPrice: { amount: 1, currency: 'usd' } })],
  ['a receipt of nothing', post('/v1/stock/TEA/receipts', { quantity: 0, reference: 'PO-1' })],
  ['an adjustment by nothing', post('/v1/stock/TEA/adjustments', { change: 0, reason: 'count' })],
  ['a page of no items', get('/v1/orders?limit=0')],
  ['a page of 201 items', get('/v1/products?limit=201')],
  ['an unknown filter', get('/v1/orders?customer=maria')],
  ['an invalid time', get('/v1/orders?placedAfter=2026-02-30T00:00:00Z')],
  ['a search for a NUL byte', get('/v1/products?search=%00')],
  ['events of a NUL byte', get('/v1/events?subject=%00')],
  ['messages of a NUL byte', get('/v1/notifications?subject=%00')],
  ['deliveries of a NUL byte', get('/v1/operations/deliveries?subscriber=%00')],
  ['deliveries in an unknown state', get('/v1/operations/deliveries?state=lost')],
];

const OTHERS: readonly Mistake[] = [
  ['an unknown SKU', line({ sku: 'COFFEE' }), 422, 'products-not-for-sale'],
  ['a discontinued SKU', line({ sku: 'OLD' }), 422, 'products-not-for-sale'],
  ['a total that is too large', line({ sku: 'DEAR', quantity: 2 }), 422, 'total-too-large'],
  [
    'two currencies in one order',
    order({ lines: ['TEA', 'EURO'].map((sku) => ({ sku, quantity: 1 })) }),
    422,
    'mixed-currencies',
  ],
  [
    'an adjustment below zero',
    post('/v1/stock/TEA/adjustments', { change: -11, reason: 'x' }),
    409,
    'stock-would-be-negative',
  ],
  ['an order that does not exist', get(`/v1/orders/${UNKNOWN_ID}`), 404, 'order-not-found'],
  ['a timeline of an order that does not exist', get(`/v1/orders/${UNKNOWN_ID}/timeline`), 404, 'order-not-found'],
  ['a delivery of an order that does not exist', post(`/v1/orders/${UNKNOWN_ID}/delivery`), 404, 'order-not-found'],
  ['a product that does not exist', get('/v1/products/COFFEE'), 404, 'product-not-found'],
  [
    'a receipt of a product that does not exist',
    post('/v1/stock/COFFEE/receipts', { quantity: 1, reference: 'x' }),
    404,
    'product-not-found',
  ],
  ['a path that does not exist', get('/v1/order'), 404, 'route-not-found'],
  ['a method that is not allowed', { method: 'DELETE', path: '/v1/orders' }, 405, 'method-not-allowed'],
  ['a badly encoded path', get('/v1/orders/%zz'), 400, 'url-malformed'],
  ['a very long path', get(`/v1/orders/${'x'.repeat(5_000)}`), 414, 'url-too-long'],
  ['very long headers', { ...get('/v1/orders'), headers: { 'x-much': 'x'.repeat(20_000) } }, 431, 'headers-too-large'],
  ['an invalid cursor', get('/v1/orders?cursor=nonsense'), 400, 'cursor-invalid'],
  ['a cursor of another list', get(`/v1/orders?cursor=${cursor(5)}`), 400, 'cursor-invalid'],
  [
    'a cursor with a NUL byte',
    get(`/v1/operations/deliveries?cursor=${cursor(UNKNOWN_ID, '\0')}`),
    400,
    'cursor-invalid',
  ],
  ['a cursor beyond all rows', get(`/v1/events?cursor=${cursor(1e300)}`), 400, 'cursor-invalid'],
  ['broken JSON', bytes('{"customer":'), 400, 'json-malformed'],
  ['two fields with the same name', bytes('{"lines":[],"lines":[]}'), 400, 'json-malformed'],
  ['a field __proto__', bytes('{"__proto__":{"admin":true}}'), 400, 'json-malformed'],
  ['100,000 nested arrays', bytes('['.repeat(100_000)), 400, 'json-malformed'],
  ['invalid UTF-8', bytes(Buffer.from([0x22, 0xc3, 0x28, 0x22])), 400, 'json-malformed'],
  ['an empty body', bytes(''), 400, 'body-missing'],
  ['no body', { path: '/v1/orders' }, 400, 'body-missing'],
  ['10 MB with a Content-Length', bytes(TEN_MB, { 'content-length': String(TEN_MB.length) }), 413, 'body-too-large'],
  ['10 MB in chunks', bytes(TEN_MB, { 'transfer-encoding': 'chunked' }), 413, 'body-too-large'],
  ['a form', bytes('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'media-type-unsupported'],
  ['plain text', bytes('{}', { 'content-type': 'text/plain' }), 415, 'media-type-unsupported'],
  ['a compressed body', bytes('{}', { 'content-encoding': 'gzip' }), 415, 'media-type-unsupported'],
  ['an import with JSON instead of NDJSON', post('/v1/products/import'), 415, 'media-type-unsupported'],
];

test.each(INVALID.map(([name, request]): Mistake => [name, request, 400, 'request-invalid']))(
  '%s is refused with the path of the field',
  async (_name, request, status, code) => {
    const answer = await send(request);
    await expectRefusal(answer, status, code);
    expect(JSON.parse(answer.text).errors).toContainEqual({ path: expect.any(String), message: expect.any(String) });
  },
);

test.each(OTHERS)('%s is refused', async (_name, request, status, code) =>
  expectRefusal(await send(request), status, code),
);

test.each([
  ['rejected', 'cancellation', { reason: 'x' }],
  ['rejected', 'shipment', { carrier: 'x', trackingNumber: 'x' }],
  ['rejected', 'delivery', {}],
  ['confirmed', 'delivery', {}],
  ['cancelled', 'cancellation', { reason: 'x' }],
  ['cancelled', 'shipment', { carrier: 'x', trackingNumber: 'x' }],
] as const)('a %s order refuses a %s', async (status, change, body) =>
  expectRefusal(await send(post(`/v1/orders/${ids[status]}/${change}`, body)), 409, 'wrong-transition'),
);

test('bytes that are not HTTP are refused, and the shop still serves requests', async () => {
  const { hostname, port } = new URL(shop.url);
  const socket = connect(Number(port), hostname);
  socket.end('NONSENSE\r\n\r\n');
  const answer = Buffer.concat(await socket.toArray()).toString();

  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toContain('"code":"request-malformed"');
  expect((await shop.get('/health/ready')).body).toMatchObject({ status: 'ok' });
  expect(shop.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test.each([
  `/v1/orders?cursor=${cursor('0000-01-01T00:00:00Z', UNKNOWN_ID)}`,
  '/v1/orders?placedBefore=0000-01-01T00:00:00Z',
  '/v1/products?search=%25',
  "/v1/products?search=';DROP%20TABLE%20orders.price;--",
  "/v1/orders?reference='%20OR%201=1",
])('%s is unusual but valid, and finds nothing', async (path) =>
  expect(await shop.get(path)).toMatchObject({ status: 200, body: { items: [], nextCursor: null } }),
);

test('SQL and HTML in a name are stored as text, and escaped in the e-mail', async () => {
  const name = `<script>alert('x')</script>'); DROP TABLE orders."order";--`;
  const { id } = await place(shop, { ...anOrder(), customer: { name, email: 'bobby@example.com' } });
  await stage.quiet();

  expect((await shop.get(`/v1/orders/${id}`)).body.customer).toEqual({ name, email: 'bobby@example.com' });
  const [mail] = await stage.sql<{ html: string; text: string }>(
    'SELECT html, text FROM notifications.mailbox_mail WHERE about_id = $1',
    [id],
  );
  expect(mail?.html).toContain('&#60;script&#62;');
  expect(mail?.html).not.toContain('<script');
});
