import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DataSource } from 'typeorm';
import { BACKBONE_MIGRATIONS } from '../../backbone/migrations/backbone-migrations.js';
import { ConfigInvalid } from '../config/environment.js';
import { TestDatabase } from '../testing/test-database.js';
import { openDatabase } from './open-database.js';
import { assertRolesUsable } from './roles.js';

/** An account that may only log in, on a server whose module roles belong to another account. */
const account = `plain_${randomBytes(6).toString('hex')}`;
const database = `orderly_test_${account}`;
let testDatabase: TestDatabase;
let server: DataSource;

const urlOf = (name: string, credentials = {}) =>
  Object.assign(new URL(testDatabase.url), { pathname: `/${name}`, ...credentials }).toString();
const open = () =>
  openDatabase({
    url: urlOf(database, { username: account, password: account }),
    poolSize: 2,
    entities: [],
    migrations: BACKBONE_MIGRATIONS,
  });

beforeAll(async () => {
  testDatabase = await TestDatabase.create();
  server = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
  await server.query(`CREATE ROLE ${account} LOGIN PASSWORD '${account}'`);
});

beforeEach(() => server.query(`CREATE DATABASE ${database} TEMPLATE template0`));
afterEach(() => server.query(`DROP DATABASE ${database} WITH (FORCE)`));

afterAll(async () => {
  await server.query(`DROP ROLE ${account}`);
  await server.destroy();
  await testDatabase.drop();
});

test('the owner of the database may use it, even if the module roles belong to another account', async () => {
  await server.query(`ALTER DATABASE ${database} OWNER TO ${account}`);

  const opened = await open();

  expect(await opened.query('SELECT FROM backbone.event')).toEqual([]);
  await opened.destroy();
});

test('an account that was given a schema needs no right to create schemas', async () => {
  const owner = await new DataSource({ type: 'postgres', url: urlOf(database) }).initialize();
  await owner.query(`CREATE SCHEMA backbone AUTHORIZATION ${account}`);
  await owner.destroy();

  const opened = await open();

  expect(await opened.query('SELECT FROM backbone.event')).toEqual([]);
  await opened.destroy();
});

test('an older version opens a database that a newer version has migrated, and does not change it', async () => {
  const migrations = () => server.query<{ name: string }[]>('SELECT name FROM backbone.migration ORDER BY id');
  const before = await migrations();

  const opened = await openDatabase({
    url: testDatabase.url,
    poolSize: 2,
    entities: [],
    migrations: BACKBONE_MIGRATIONS,
  });
  await opened.destroy();

  expect(before.map(({ name }) => name)).toContain('CreateOrders1764000002000');
  expect(await migrations()).toEqual(before);
});

test('an account without rights gets one sentence with the reason', async () => {
  await expect(open()).rejects.toThrow(ConfigInvalid);
  await expect(open()).rejects.toThrow(`DATABASE_URL: this PostgreSQL cannot be used: permission denied`);
});

test('an account that may not act as the module roles gets a remedy, and the documented remedy works', async () => {
  await server.query(`ALTER DATABASE ${database} OWNER TO ${account}`);
  const opened = await open();
  const start = () => assertRolesUsable(opened, []);
  await expect(start()).rejects.toThrow(ConfigInvalid);
  await expect(start()).rejects.toThrow(
    '- MODULE_ROLES: this account may not act as orderly_backbone in this database: have an administrator run',
  );

  const [, remedy = ''] =
    /^## A role for each module$[^]*?```sql\n([^]*?)```/m.exec(await readFile('docs/operations.md', 'utf8')) ?? [];
  const administrator = await new DataSource({ type: 'postgres', url: urlOf(database) }).initialize();
  await administrator.query(remedy.replaceAll('the_account', account));
  await administrator.destroy();

  await start();
  await opened.query('SET ROLE orderly_backbone');
  expect(await opened.query('SELECT FROM backbone.event')).toEqual([]);
  await opened.destroy();
});

test('an unreachable server is a configuration error, also where the URL is a socket', async () => {
  const url = `postgres://${account}@%2Fnowhere/${database}`;
  await expect(openDatabase({ url, poolSize: 2, entities: [], migrations: BACKBONE_MIGRATIONS })).rejects.toThrow(
    ConfigInvalid,
  );
});
