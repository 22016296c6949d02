import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { FlakyProxy } from '../testing/flaky-proxy.js';
import { TestDatabase } from '../testing/test-database.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { isDatabaseLost } from './database-errors.js';

/** Short, so that a silent connection is found out soon. */
const STATEMENT_MS = 900;

let testDatabase: TestDatabase;
let link: FlakyProxy;
let dataSource: DataSource;
let database: Database;

beforeEach(async () => {
  testDatabase = await TestDatabase.create();
  link = await FlakyProxy.before(testDatabase.url);
  // One connection, so that whoever comes next would get the spoilt one.
  const settings = { url: link.url, poolSize: 1, entities: [], migrations: [], statementMs: STATEMENT_MS };
  dataSource = await createDataSource(settings).initialize();
  database = new Database(dataSource, { enforceRoles: false });
});

afterEach(async () => {
  await dataSource.destroy();
  link.close();
  await testDatabase.drop();
});

const connection = async () => {
  const [row] = await database.query<{ pid: number; inTransaction: boolean }>(
    'SELECT pg_backend_pid() AS pid, transaction_timestamp() <> statement_timestamp() AS "inTransaction"',
  );
  return row;
};

test('a connection whose work went well is used again', async () => {
  const before = await connection();
  await database.transaction('toys', ({ manager }) => manager.query('SELECT 1'));
  await expect(database.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  await database.transaction('toys', ({ manager }) => manager.query('SELECT 1 / 0')).catch(() => undefined);
  expect(await connection()).toEqual({ ...before, inTransaction: false });
});

test('a connection is used again although the end of its answer came later than the error in it', async () => {
  link.goSlow();
  const before = await connection();
  await expect(database.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  expect(await connection()).toEqual({ ...before, inTransaction: false });
});

test.each([
  ['open', 'BEGIN'],
  ['failed', 'BEGIN; SELECT 1 / 0'],
])("a transaction that a read left %s is nobody else's", async (_, sql) => {
  const before = await connection();
  await database.read('toys', (manager) => manager.query(sql)).catch(() => undefined);
  const after = await connection();
  expect(after).toMatchObject({ inTransaction: false });
  expect(after?.pid).not.toBe(before?.pid);
});

test('a connection that went silent within a transaction is given up, and the next work gets a sound one', async () => {
  const before = await connection();
  const lost = database.transaction('toys', ({ manager }) => {
    link.goSilent();
    return manager.query('SELECT 1');
  });
  expect(isDatabaseLost(await lost.catch((error: unknown) => error))).toBe(true);
  const after = await connection();
  expect(after).toMatchObject({ inTransaction: false });
  expect(after?.pid).not.toBe(before?.pid);
});

test('a connection that went silent before a read is given up, and the next work gets a sound one', async () => {
  await connection();
  link.goSilent();
  expect(isDatabaseLost(await connection().catch((error: unknown) => error))).toBe(true);
  expect(await connection()).toMatchObject({ inTransaction: false });
});

test('connections that PostgreSQL ends while they are idle are replaced by new ones, and end nothing else', async () => {
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

test('a connection that PostgreSQL ends while it is being opened ends nothing else', async () => {
  await database.read('toys', (manager) => manager.query('BEGIN'));
  link.goAway();
  expect(isDatabaseLost(await connection().catch((error: unknown) => error))).toBe(true);
  expect(await connection()).toMatchObject({ inTransaction: false });
});
