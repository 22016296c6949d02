import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { MODULES } from '../../dist/app.module.js';
import { databaseSchemaOf } from '../../dist/backbone/program.js';
import { migrateQueues } from '../../dist/backbone/queue/queues.js';
import { createDataSource, migrate } from '../../dist/common/database/data-source.js';
import { startEmbeddedPostgres } from '../../dist/common/embedded-postgres/embedded-postgres.js';
import { OperationsModule } from '../../dist/operations/operations.module.js';
import { onTeardown } from './global-teardown.mjs';

/** Tests need no durability. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' };

/**
 * One PostgreSQL for all tests, embedded or at TEST_DATABASE_URL, with a template database that each test copies. The
 * migrations of the built program create its tables, as in production.
 */
export default async function setUp() {
  const url = process.env.TEST_DATABASE_URL ?? (await startServer());
  const template = `orderly_template_${randomBytes(4).toString('hex')}`;
  await onServer(url, `CREATE DATABASE ${template}`);
  onTeardown(() => onServer(url, `DROP DATABASE ${template} WITH (FORCE)`));
  await migrateTemplate(Object.assign(new URL(url), { pathname: `/${template}` }).toString());
  await mkdir('.orderly/test', { recursive: true });
  await writeFile('.orderly/test/server.json', JSON.stringify({ url, template }));
}

async function startServer() {
  const dataFolder = await mkdtemp(join(tmpdir(), 'orderly-test-'));
  // If we are root, PostgreSQL runs as the user nobody, who needs access to the folder.
  await chmod(dataFolder, 0o755);
  onTeardown(() => rm(dataFolder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataFolder, settings: SETTINGS });
  onTeardown(() => postgres.stop());
  return postgres.url;
}

async function migrateTemplate(url) {
  const dataSource = createDataSource({ url, poolSize: 2, ...databaseSchemaOf(MODULES, OperationsModule.migrations) });
  await dataSource.initialize();
  await migrate(dataSource);
  await dataSource.destroy();
  await migrateQueues(url);
}

async function onServer(url, sql) {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
