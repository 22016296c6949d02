import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { FlakyProxy } from '../testing/flaky-proxy.js';
import { TestDatabase } from '../testing/test-database.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { isDatabaseLost } from './database-errors.js';

/** Short, so that a connection without answers is detected soon. */
const STATEMENT_MS = 900;

let testDatabase: TestDatabase;
let proxy: FlakyProxy;
let dataSource: DataSource;
let database: Database;

beforeEach(async () => {
  testDatabase = await TestDatabase.create();
  proxy = await FlakyProxy.before(testDatabase.url);
  // One connection, so that the next user would get the broken one.
  const settings = { url: proxy.url, poolSize: 1, entities: [], migrations: [], statementMs: STATEMENT_MS };
  dataSource = await createDataSource(settings).initialize();
  database = new Database(dataSource, { enforceRoles: false });
});

afterEach(async () => {
  await dataSource.destroy();
  proxy.close();
  await testDatabase.drop();
});

/** The connection that the pool gives to the next query. */
const connection = async () => {
  const [row] = await database.query<{ pid: number; inTransaction: boolean }>(
    'SELECT pg_backend_pid() AS pid, transaction_timestamp() <> statement_timestamp() AS "inTransaction"',
  );
  return row;
};

test('a connection without an open transaction is reused, also after errors of statements', async () => {
  const before = await connection();
  await database.transaction('toys', ({ manager }) => manager.query('SELECT 1'));
  await expect(database.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  await database.transaction('toys', ({ manager }) => manager.query('SELECT 1 / 0')).catch(() => undefined);
  expect(await connection()).toEqual({ ...before, inTransaction: false });
});

test('a connection is reused when ReadyForQuery arrives later than the error before it', async () => {
  proxy.delayReadyForQuery();
  const before = await connection();
  await expect(database.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  expect(await connection()).toEqual({ ...before, inTransaction: false });
});

test.each([
  ['open', 'BEGIN'],
  ['failed', 'BEGIN; SELECT 1 / 0'],
])('a connection with a transaction that a read left %s is closed, and another one is used', async (_, sql) => {
  const before = await connection();
  await database.read('toys', (manager) => manager.query(sql)).catch(() => undefined);
  const after = await connection();
  expect(after).toMatchObject({ inTransaction: false });
  expect(after?.pid).not.toBe(before?.pid);
});

test('a connection that stops answering in a transaction is closed, and the next work gets another one', async () => {
  const before = await connection();
  const lost = database.transaction('toys', ({ manager }) => {
    proxy.stopAnswering();
    return manager.query('SELECT 1');
  });
  expect(isDatabaseLost(await lost.catch((error: unknown) => error))).toBe(true);
  const after = await connection();
  expect(after).toMatchObject({ inTransaction: false });
  expect(after?.pid).not.toBe(before?.pid);
});

test('a connection that stops answering before a read is closed, and the next work gets another one', async () => {
  await connection();
  proxy.stopAnswering();
  expect(isDatabaseLost(await connection().catch((error: unknown) => error))).toBe(true);
  expect(await connection()).toMatchObject({ inTransaction: false });
});

test('an idle connection that PostgreSQL ends is replaced by a new one, and the process continues', async () => {
  const before = await connection();
  const administrator = new Client({ connectionString: testDatabase.url });
  await administrator.connect();
  await administrator.query('SELECT pg_terminate_backend($1)', [before?.pid]);
  await administrator.end();

  const next = await connection().catch((error: unknown) => error);
  const after = isDatabaseLost(next) ? await connection() : next;

  expect(after).toMatchObject({ pid: expect.any(Number) });
  expect(after).not.toMatchObject({ pid: before?.pid });
});

test('the process continues when PostgreSQL ends a connection while it is being opened', async () => {
  await database.read('toys', (manager) => manager.query('BEGIN'));
  proxy.terminateNext();
  expect(isDatabaseLost(await connection().catch((error: unknown) => error))).toBe(true);
  expect(await connection()).toMatchObject({ inTransaction: false });
});
