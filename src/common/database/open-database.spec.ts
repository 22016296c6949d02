import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DataSource } from 'typeorm';
import { BACKBONE_MIGRATIONS } from '../../backbone/migrations/backbone-migrations.js';
import { ConfigInvalid } from '../config/environment.js';
import { TestDatabase } from '../testing/test-database.js';
import { assertRolesUsable } from './module-roles.js';
import { openDatabase } from './open-database.js';

/** An account that may log in and nothing else, on a server whose roles for modules are somebody else's. */
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

test('an account that owns the database may use it, whoever the roles of the server belong to', async () => {
  await server.query(`ALTER DATABASE ${database} OWNER TO ${account}`);

  const opened = await open();

  expect(await opened.query('SELECT FROM backbone.event')).toEqual([]);
  await opened.destroy();
});

test('an account that was given a schema need not be able to make any', async () => {
  const owner = await new DataSource({ type: 'postgres', url: urlOf(database) }).initialize();
  await owner.query(`CREATE SCHEMA backbone AUTHORIZATION ${account}`);
  await owner.destroy();

  const opened = await open();

  expect(await opened.query('SELECT FROM backbone.event')).toEqual([]);
  await opened.destroy();
});

test('an older version opens a database that a newer one has brought further, and leaves it so', async () => {
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

test('an account without rights is told so in a sentence', async () => {
  await expect(open()).rejects.toThrow(ConfigInvalid);
  await expect(open()).rejects.toThrow(`DATABASE_URL: this PostgreSQL cannot be used: permission denied`);
});

test('an account that may not take on the roles of modules is told so in a sentence, and what it says makes it able to', async () => {
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

test('a server that is not there is told in a sentence, also where it would be a socket', async () => {
  const url = `postgres://${account}@%2Fnowhere/${database}`;
  await expect(openDatabase({ url, poolSize: 2, entities: [], migrations: BACKBONE_MIGRATIONS })).rejects.toThrow(
    ConfigInvalid,
  );
});
