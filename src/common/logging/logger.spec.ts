import { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { runInContext } from '../context/context.js';
import { createLogger, type LogSettings } from './logger.js';

function recorder(settings: Partial<LogSettings> = {}) {
  let written = '';
  const output = new Writable({
    write(line, _, done) {
      written += line;
      done();
    },
  });
  const logger = createLogger({ level: 'info', format: 'json', ...settings }, output);
  return { logger, text: () => written, line: () => JSON.parse(written) };
}

test('a line has a time, a level, a context, a message and fields', () => {
  const { logger, line } = recorder();
  logger.log('Order placed', { orderId: 'o-1' }, 'Orders');
  expect(line()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^20.*Z$/),
    context: 'Orders',
    orderId: 'o-1',
    msg: 'Order placed',
  });
});

test('a line has the correlation id, the causation id and the actor of the current work', () => {
  const { logger, line } = recorder();
  runInContext({ correlationId: 'c-1', causationId: 'e-1', actor: 'inventory.reserveStock' }, () =>
    logger.warn('Stock is short'),
  );
  expect(line()).toMatchObject({
    level: 'warn',
    correlationId: 'c-1',
    causationId: 'e-1',
    actor: 'inventory.reserveStock',
  });
});

test('an error is logged with its causes, and without the fields that libraries attach to it', () => {
  const { logger, line } = recorder();
  const cause = Object.assign(new TypeError('no such row'), { code: '23505', parameters: ['a secret'] });
  logger.error(new Error('could not place', { cause }), undefined, 'Orders');
  expect(line()).toMatchObject({
    level: 'error',
    context: 'Orders',
    msg: 'could not place',
    err: {
      type: 'Error',
      message: 'could not place',
      cause: { type: 'TypeError', code: '23505', message: 'no such row' },
    },
  });
  expect(line().err.stack).toContain('logger.spec');
  expect(JSON.stringify(line())).not.toContain('a secret');
});

test('a message, an error and fields may come together, as Nest passes them', () => {
  const { logger, line } = recorder();
  logger.error('The relay stopped', new Error('lost'), { batch: 3 }, 'Relay');
  expect(line()).toMatchObject({ msg: 'The relay stopped', batch: 3, context: 'Relay', err: { message: 'lost' } });
});

test("Nest's Logger writes through it", () => {
  const { logger, line } = recorder();
  Logger.overrideLogger(logger);
  new Logger('Orders').error('failed', 'Error: at line 1');
  expect(line()).toMatchObject({ level: 'error', context: 'Orders', msg: 'failed', stack: 'Error: at line 1' });
});

test('lines below the configured level are not written', () => {
  const { logger, text } = recorder({ level: 'error' });
  logger.log('a');
  logger.warn('b');
  logger.debug('c');
  logger.verbose('d');
  expect(text()).toBe('');
  logger.fatal('e');
  expect(text()).toContain('fatal');
});

test.each([
  ['maria@example.com', '***@example.com'],
  ['to <jürgen.müller+x@mail.example.co.uk>, ok', 'to <***@mail.example.co.uk>, ok'],
  ['line\nmaria@example.com', 'line\n***@example.com'],
  ['"maria@example.com"', '"***@example.com"'],
  ['tab\tmaria@example.com\u0001', 'tab\t***@example.com\u0001'],
  ['postgres://orderly:s3cret@db.example.com:5432/shop', 'postgres://***@db.example.com:5432/shop'],
  ['redis://:s3cret@localhost', 'redis://***@localhost'],
  [
    'at /srv/node_modules/@nestjs/core/router.js and foo@1.2.3',
    'at /srv/node_modules/@nestjs/core/router.js and foo@1.2.3',
  ],
])('%j is logged as %j, in messages, errors and fields', (given, written) => {
  const { logger, line } = recorder();
  logger.warn(given, new Error(given), { deep: { list: [given] } });
  expect(line()).toMatchObject({ msg: written, err: { message: written }, deep: { list: [written] } });
});

test('a very long text is masked fast', () => {
  const { logger, text } = recorder();
  const startedAt = performance.now();
  logger.log(`${'a'.repeat(1_000_000)} ${'b.'.repeat(200_000)}@`);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  expect(text().length).toBeGreaterThan(1_000_000);
});

test('secret fields are not logged, down to the third level of nesting', () => {
  const { logger, text } = recorder();
  const secrets = { password: 'p-1', authorization: 'p-2', 'set-cookie': 'p-3', apiKey: 'p-4', name: 'shown' };
  logger.log('Signed in', { ...secrets, headers: secrets, request: { headers: secrets } });
  expect(text()).not.toMatch(/p-\d/);
  expect(text().match(/shown/g)).toHaveLength(3);
});

test('the pretty format is one line without colours outside a terminal', () => {
  const { logger, text } = recorder({ format: 'pretty' });
  runInContext({ correlationId: 'c-1', causationId: null, actor: 'api' }, () =>
    logger.log('GET /v1/orders 200 3 ms', { method: 'GET', orderId: 'o-1' }, 'Http'),
  );
  expect(text()).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Http: GET \/v1\/orders 200 3 ms \{"correlationId":"c-1","orderId":"o-1"\}\n$/,
  );
});
