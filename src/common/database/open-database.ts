import type { DataSource } from 'typeorm';
import { ConfigInvalid } from '../config/environment.js';
import { codeOf, isError } from '../logging/describe-error.js';
import { createDataSource, type DataSourceOptions, migrate } from './data-source.js';
import { isDatabaseLost, sqlStateOf } from './database-errors.js';

const OLDEST_SERVER = 13;
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Opens the database and brings its tables up to date.
 * @throws {ConfigInvalid} when the server is unreachable, refuses this account, or is too old
 */
export async function openDatabase(options: DataSourceOptions): Promise<DataSource> {
  await bringUpToDate(options);
  return createDataSource(options).initialize();
}

async function bringUpToDate(options: DataSourceOptions): Promise<void> {
  const withoutTimeout = await createDataSource({ ...options, statementMs: 0 })
    .initialize()
    .catch(rethrowAsConfigError);
  try {
    await refuseOldServer(withoutTimeout);
    await migrate(withoutTimeout);
  } catch (error) {
    rethrowMissingRights(error);
  } finally {
    await withoutTimeout.destroy();
  }
}

/** @throws {ConfigInvalid} for a missing privilege; rethrows any other error */
export function rethrowMissingRights(error: unknown): never {
  if (sqlStateOf(error) === INSUFFICIENT_PRIVILEGE) rethrowAsConfigError(error);
  throw error;
}

function rethrowAsConfigError(error: unknown): never {
  if (!codeOf(error) && !isDatabaseLost(error)) throw error;
  throw new ConfigInvalid([`DATABASE_URL: this PostgreSQL cannot be used: ${reasonOf(error)}`]);
}

/** When several addresses were tried, the message of the AggregateError is empty, and its errors have the reasons. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return isError(error) ? error.message : String(error);
}

async function refuseOldServer(dataSource: DataSource): Promise<void> {
  const [row]: { version: string }[] = await dataSource.query(`SELECT current_setting('server_version') AS version`);
  const version = row?.version ?? '';
  if (Number.parseInt(version, 10) < OLDEST_SERVER)
    throw new ConfigInvalid([
      `DATABASE_URL: this is PostgreSQL ${version}; version ${OLDEST_SERVER} or newer is required`,
    ]);
}
