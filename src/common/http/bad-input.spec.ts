import { EventEmitter, once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Readable, Writable } from 'node:stream';
import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { currentContext } from '../context/context.js';
import { CommitUnknown } from '../database/database-errors.js';
import { DomainError } from '../errors/domain-error.js';
import { createLogger } from '../logging/logger.js';
import { isoTime, quantity, sku, text } from './fields.js';
import { configureHttp, createAdapter } from './http-app.js';
import { AcceptsNdjson, NdjsonBody, ndjsonLines } from './ndjson.js';
import { pageQuery } from './pagination.js';

class PencilNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'pencil-not-found';
  override readonly details = { pencil: 'HB', code: 'never-overwrites' };
}

class PencilsSharpening extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'pencils-sharpening';
  override readonly retryAfterSeconds = 7;
}

const ERRORS: Record<string, () => Error> = {
  'not-found': () => new PencilNotFound('There is no pencil HB'),
  conflict: () => new PencilsSharpening('They are being sharpened'),
  bug: () => new Error('relation "secret" does not exist', { cause: new Error('maria@example.com') }),
  database: () => Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' }),
  lock: () => Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' }),
  deadlock: () => Object.assign(new Error('deadlock detected'), { code: '40P01' }),
  commit: () => new CommitUnknown('lost'),
};

const order = z.strictObject({
  customer: z.strictObject({ name: text(200) }),
  lines: z.array(z.strictObject({ sku, quantity })).min(1).max(200),
});

@Controller('v1')
class PencilsController {
  @Post('orders')
  place(@Body({ schema: order }) body: z.infer<typeof order>) {
    return body;
  }

  @Get('orders')
  list(@Query({ schema: z.strictObject({ placedAfter: isoTime.optional(), ...pageQuery }) }) query: object) {
    return query;
  }

  @Get('orders/:id')
  get(@Param('id', { schema: z.uuid() }) id: string) {
    return { id, ...currentContext() };
  }

  @Get('errors/:name')
  fail(@Param('name') name: string) {
    throw ERRORS[name]?.();
  }

  @Post('products/import')
  @AcceptsNdjson('{"sku":"NW-1"}')
  async import(@Body(NdjsonBody) lines: Readable) {
    let count = 0;
    progress.emit('import');
    for await (const _ of ndjsonLines(lines, 1024)) count++;
    return { count };
  }
}

@Module({ controllers: [PencilsController] })
class PencilsModule {}

let app: NestFastifyApplication;
let port: number;
let log = '';
const progress = new EventEmitter();
const output = new Writable({
  write(line, _, done) {
    log += line;
    progress.emit('line');
    done();
  },
});

beforeAll(async () => {
  const logger = createLogger({ level: 'info', format: 'json' }, output);
  app = await NestFactory.create<NestFastifyApplication>(PencilsModule, createAdapter(), { logger });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as AddressInfo).port;
});

afterAll(() => app.close());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  json: Record<string, unknown>;
}

interface Sent {
  method?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

async function send(path: string, { method = 'GET', body, headers = {} }: Sent = {}): Promise<Answer> {
  const request = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  const chunks = await response.toArray();
  const answer = Buffer.concat(chunks).toString();
  return { status: response.statusCode, headers: response.headers, json: JSON.parse(answer) };
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  send('/v1/orders', {
    method: 'POST',
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

/** Sends raw bytes, and reads the response until the end of the connection. */
async function sendBytes(bytes: string): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const chunks = await socket.toArray();
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [field.split(': ')[0]?.toLowerCase(), field.split(': ')[1]]),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, json: JSON.parse(body) };
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.json.code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['x-content-type-options'] ?? 'nosniff').toBe('nosniff');
  expect(answer.headers['x-correlation-id']).toBe(answer.json.correlationId);
  expect(answer.json).toMatchObject({ type: `https://orderly.example/problems/${code}`, status });
  expect(answer.json).toMatchObject({ title: expect.any(String), detail: expect.any(String) });
}

const anOrder = (change: object = {}) => ({
  customer: { name: 'Maria' },
  lines: [{ sku: 'NW-11', quantity: 1 }],
  ...change,
});
const orderOf = (quantity: unknown) => `{"customer":{"name":"M"},"lines":[{"sku":"NW-11","quantity":${quantity}}]}`;

test('a valid request passes, and its texts are trimmed', async () => {
  const { status, json } = await post(anOrder({ customer: { name: '  Marie-Søren 🙂 ' } }));
  expect([status, json]).toEqual([201, anOrder({ customer: { name: 'Marie-Søren 🙂' } })]);
});

const unknown = 'This field is not known here';
const controlCharacters = 'Give one line of text without control characters';

describe('fields that do not match their schema', () => {
  test.each<[string, unknown, { path: string; message: string }]>([
    ['an unknown field', anOrder({ price: 1 }), { path: 'price', message: unknown }],
    ['an unknown field called constructor', anOrder({ constructor: 1 }), { path: 'constructor', message: unknown }],
    [
      'an unknown nested field',
      anOrder({ customer: { name: 'M', vip: true } }),
      { path: 'customer.vip', message: unknown },
    ],
    ['a missing field', { lines: anOrder().lines }, { path: 'customer', message: 'This field is required' }],
    ['a text for a number', orderOf('"1"'), { path: 'lines[0].quantity', message: 'Give a number' }],
    ['a null', orderOf('null'), { path: 'lines[0].quantity', message: 'Give a number' }],
    ['1e400', orderOf('1e400'), { path: 'lines[0].quantity', message: 'Give a number' }],
    ['-0', orderOf('-0'), { path: 'lines[0].quantity', message: 'Give at least 1' }],
    ['2^53+1', orderOf('9007199254740993'), { path: 'lines[0].quantity', message: 'Give at most 1000000' }],
    ['a fraction', orderOf('0.5'), { path: 'lines[0].quantity', message: 'Give a whole number' }],
    ['an empty list', anOrder({ lines: [] }), { path: 'lines', message: 'Give at least 1 item' }],
    [
      '10,000 characters',
      anOrder({ customer: { name: 'x'.repeat(10_000) } }),
      { path: 'customer.name', message: 'Give at most 200 characters' },
    ],
    [
      'only blanks',
      anOrder({ customer: { name: '   ' } }),
      { path: 'customer.name', message: 'Give at least 1 character' },
    ],
    ['a NUL', anOrder({ customer: { name: 'a\0b' } }), { path: 'customer.name', message: controlCharacters }],
    [
      'a lone surrogate',
      '{"customer":{"name":"a\\ud800b"},"lines":[{"sku":"A","quantity":1}]}',
      { path: 'customer.name', message: controlCharacters },
    ],
    [
      'a bidi override',
      anOrder({ customer: { name: 'a\u202eb' } }),
      { path: 'customer.name', message: controlCharacters },
    ],
    ['a list for an object', [], { path: '', message: 'Give an object' }],
  ])('%s is refused with its path', async (_, body, error) => {
    const answer = await post(body);
    expectProblem(answer, 400, 'request-invalid');
    expect(answer.json.errors).toContainEqual(error);
  });

  test('SQL and HTML are accepted as text', async () => {
    const name = `Robert'); DROP TABLE orders;-- <script>alert(1)</script>`;
    expect((await post(anOrder({ customer: { name } }))).json).toMatchObject({ customer: { name } });
  });

  test('a very long field name is clipped in the error', async () => {
    const answer = await post(anOrder({ ['<b>'.repeat(50_000)]: 1 }));
    expectProblem(answer, 400, 'request-invalid');
    expect(JSON.stringify(answer.json).length).toBeLessThan(1_000);
  });

  test('at most 50 errors are listed', async () => {
    const answer = await post(anOrder({ lines: Array.from({ length: 200 }, () => ({})) }));
    expectProblem(answer, 400, 'request-invalid');
    expect(answer.json.errors).toHaveLength(50);
  });

  test('an id that is not a UUID is refused with the name of its parameter', async () => {
    for (const id of ['1', 'not-a-uuid', "1'%20OR%201=1", '%00', '..%2f..%2fetc']) {
      const answer = await send(`/v1/orders/${id}`);
      expectProblem(answer, 400, 'request-invalid');
      expect(answer.json.errors).toEqual([{ path: 'id', message: 'Give a UUID' }]);
    }
  });

  test.each([
    ['limit=0', 'limit', 'Give at least 1'],
    ['limit=201', 'limit', 'Give at most 200'],
    ['limit=ten', 'limit', 'Give a number'],
    ['limit=1&limit=2', 'limit', 'Give a number'],
    ['placedAfter=yesterday', 'placedAfter', 'Give a time such as 2026-11-23T08:00:00Z'],
    ['placedAfter=2026-02-30T00:00:00Z', 'placedAfter', 'Give a time such as 2026-11-23T08:00:00Z'],
    ['page=2', 'page', unknown],
    ['__proto__=2', '__proto__', unknown],
  ])('the query %s is refused', async (query, path, message) => {
    const answer = await send(`/v1/orders?${query}`);
    expectProblem(answer, 400, 'request-invalid');
    expect(answer.json.errors).toEqual([{ path, message }]);
  });

  test('a badly encoded query is refused', async () => {
    expectProblem(await send('/v1/orders?limit=%zz%ff'), 400, 'request-invalid');
  });
});

describe('bodies that cannot be parsed', () => {
  test.each<[string, string | Buffer, string]>([
    ['broken JSON', '{"customer":', 'json-malformed'],
    ['two fields with the same name', '{"a":1,"b":{"c":1,"c":2}}', 'json-malformed'],
    ['two fields with the same name, one with an escape sequence', '{"ab":1,"\\u0061b":2}', 'json-malformed'],
    ['a field called __proto__', '{"customer":{"__proto__":{"admin":true}}}', 'json-malformed'],
    ['100,000 levels of nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'json-malformed'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'json-malformed'],
    ['an empty body', '', 'body-missing'],
  ])('%s is refused', async (_, body, code) => expectProblem(await post(body), 400, code));

  test('a request without a required body is refused', async () => {
    expectProblem(await send('/v1/orders', { method: 'POST' }), 400, 'body-missing');
  });

  test('10 MB are refused, with and without a content length', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, 0x20);
    expectProblem(await post(body, { 'content-length': String(body.length) }), 413, 'body-too-large');
    expectProblem(await post(body, { 'transfer-encoding': 'chunked' }), 413, 'body-too-large');
  });

  test.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/x-ndjson',
    'nonsense',
    '',
  ])('the media type "%s" is refused', async (type) =>
    expectProblem(await post('{}', { 'content-type': type }), 415, 'media-type-unsupported'),
  );

  test('a body without a media type, or in a content encoding, is refused', async () => {
    expectProblem(await send('/v1/orders', { method: 'POST', body: '{}' }), 415, 'media-type-unsupported');
    expectProblem(await post('{}', { 'content-encoding': 'gzip' }), 415, 'media-type-unsupported');
  });

  test('the media type of JSON may have a charset', async () => {
    expect((await post(anOrder(), { 'content-type': 'Application/JSON; charset=UTF-8' })).status).toBe(201);
  });
});

describe('NDJSON', () => {
  const importLines = (body: string | undefined, type?: string) =>
    send('/v1/products/import', {
      method: 'POST',
      ...(body && { body }),
      headers: type ? { 'content-type': type } : {},
    });

  test('may be larger than the limit of a JSON body', async () => {
    const answer = await importLines('{"sku":"NW-1"}\r\n'.repeat(200_000), 'application/x-ndjson');
    expect([answer.status, answer.json]).toEqual([201, { count: 200_000 }]);
  });

  test('is the only media type that its route accepts', async () => {
    expectProblem(await importLines('{}', 'application/json'), 415, 'media-type-unsupported');
    expectProblem(await importLines(undefined), 400, 'body-missing');
  });
});

test('a client that disconnects while it sends is not logged as an error', async () => {
  const headers = {
    'content-type': 'application/x-ndjson',
    'x-correlation-id': 'disconnected',
    'transfer-encoding': 'chunked',
  };
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path: '/v1/products/import',
    method: 'POST',
    headers,
    agent: false,
  });
  request.write('{"sku":"NW-1"}');
  await once(progress, 'import');
  request.on('error', () => undefined).destroy();
  while (!log.includes('aborted by the client')) await once(progress, 'line');
  const lines = log.split('\n').filter((line) => line.includes('"disconnected"'));
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info']);
});

describe('URLs', () => {
  test('without a route are 404', async () => {
    expectProblem(await send('/v1/nothing?email=maria@example.com'), 404, 'route-not-found');
    expectProblem(
      await send('/v1/nothing', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } }),
      404,
      'route-not-found',
    );
  });

  test('with routes for other methods are 405 with an Allow header', async () => {
    const answer = await send('/v1/orders', { method: 'DELETE' });
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.allow).toBe('GET, HEAD, POST');
  });

  test.each(['/%zz', '/v1/orders/%ff', '/v1/orders/%c3%28'])('like %s, which is badly encoded, are 400', async (path) =>
    expectProblem(await send(path), 400, 'url-malformed'),
  );

  test('with a segment that is too long are 414', async () =>
    expectProblem(await send(`/v1/orders/${'x'.repeat(10_000)}`), 414, 'url-too-long'));
});

describe('requests that are not valid HTTP', () => {
  test('too many headers are 431', async () => {
    const answer = await sendBytes(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expectProblem(answer, 431, 'headers-too-large');
  });

  test.each([
    'NONSENSE\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n',
    'BREW / HTTP/1.1\r\nhost: x\r\n\r\n',
  ])('%j is 400', async (bytes) => expectProblem(await sendBytes(bytes), 400, 'request-malformed'));

  test('a method without routes is 405', async () => {
    expectProblem(await send('/v1/orders', { method: 'PROPFIND' }), 405, 'method-not-allowed');
  });
});

describe('errors of the program', () => {
  test('the response to a domain error has its code, message and details', async () => {
    const answer = await send('/v1/errors/not-found');
    expectProblem(answer, 404, 'pencil-not-found');
    expect(answer.json).toMatchObject({ title: 'Pencil not found', detail: 'There is no pencil HB', pencil: 'HB' });
  });

  test('a domain error may set Retry-After', async () => {
    const answer = await send('/v1/errors/conflict');
    expectProblem(answer, 409, 'pencils-sharpening');
    expect(answer.headers['retry-after']).toBe('7');
  });

  test('a failure of the database is 503 with Retry-After', async () => {
    for (const name of ['database', 'lock', 'deadlock', 'commit']) {
      const answer = await send(`/v1/errors/${name}`);
      expectProblem(answer, 503, 'database-unavailable');
      expect(answer.headers['retry-after']).toBe('2');
      expect(JSON.stringify(answer.json)).not.toContain('5432');
    }
  });

  test('a bug is 500 without detail, and is logged once with its cause', async () => {
    const answer = await send('/v1/errors/bug', { headers: { 'x-correlation-id': 'the-bug' } });
    expectProblem(answer, 500, 'internal-error');
    expect(JSON.stringify(answer.json)).not.toMatch(/secret|does not exist|\.ts/);
    const lines = log.split('\n').filter((line) => line.includes('"error"') && line.includes('the-bug'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      context: 'Http',
      correlationId: 'the-bug',
      err: { type: 'Error', message: 'relation "secret" does not exist', cause: { message: '***@example.com' } },
    });
  });
});

describe('correlation', () => {
  const id = '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b';

  test('an acceptable id is used in the context of the handler', async () => {
    const { headers, json } = await send(`/v1/orders/${id}`, { headers: { 'x-correlation-id': 'shop:42' } });
    expect(headers['x-correlation-id']).toBe('shop:42');
    expect(json).toEqual({ id, correlationId: 'shop:42', causationId: null, actor: 'api' });
  });

  test.each(['', 'a b', 'x'.repeat(129), 'ü', 'a,b'])('%j is replaced by a UUIDv7', async (given) => {
    const { headers, json } = await send(`/v1/orders/${id}`, {
      headers: { 'x-correlation-id': Buffer.from(given).toString('latin1') },
    });
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(json.correlationId).toBe(headers['x-correlation-id']);
  });

  test('errors before routing have an id too, and every response has security headers', async () => {
    const { headers, json } = await send('/%zz', { headers: { 'x-correlation-id': 'early' } });
    expect([headers['x-correlation-id'], json.correlationId]).toEqual(['early', 'early']);
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

test('the log has a line per request, with the pattern of the route and not the URL', async () => {
  await send('/v1/orders?status=maria@example.com', { headers: { 'x-correlation-id': 'logged' } });
  await send('/maria@example.com', { headers: { 'x-correlation-id': 'logged' } });
  const lines = log
    .split('\n')
    .filter((line) => line.includes('logged'))
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { level: 'info', method: 'GET', route: '/v1/orders', status: 400, ms: expect.any(Number) },
    { level: 'info', method: 'GET', route: '(no route)', status: 404 },
  ]);
  expect(log).not.toContain('maria');
});
