import { DataSource, type MixedList, type QueryRunner } from 'typeorm';
import { CreateBackbone1764000000000 } from '../events/migrations/1764000000000-create-backbone.js';
import { CreateOperations1764000000200 } from '../events/migrations/1764000000200-create-operations.js';
import { CreatePrunedDeliveries1764000000300 } from '../events/migrations/1764000000300-create-pruned-deliveries.js';
import { CreateIdempotencyKeys1764000000100 } from '../idempotency/migrations/1764000000100-create-idempotency-keys.js';
import type { ModuleDefinition } from '../module-definition.js';
import { createSchema } from './roles.js';

/** No statement, lock or forgotten transaction may hold the others up for longer. */
const SESSION_SETTINGS = {
  statement_timeout: '15s',
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '20s',
};
/** A connection that is silent for this long is asked whether it is still there. */
const KEEP_ALIVE_MS = 10_000;
/** Also the longest wait for one that is free: in a rush requests queue up here, and are not turned away while it moves. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Lets one process at a time prepare the database; the number is arbitrary, but for ever the same. */
const START_LOCK = 734_001;

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly modules: readonly ModuleDefinition[];
}

/** One data source for the program, its migrations and its tests. */
export function createDataSource({ url, poolSize, modules }: DataSourceOptions): DataSource {
  const entities: MixedList<Function> = modules.flatMap((module) => [...module.entities]);
  const migrations: MixedList<Function> = modules.flatMap((module) => [...module.migrations]);
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    schema: 'backbone',
    entities,
    migrations: [
      CreateBackbone1764000000000,
      CreateIdempotencyKeys1764000000100,
      CreateOperations1764000000200,
      CreatePrunedDeliveries1764000000300,
      ...migrations,
    ],
    migrationsTableName: 'migration',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: 'orderly',
    extra: {
      // Finds out within half a minute that the other side is gone, also where nobody says so.
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      options: Object.entries(SESSION_SETTINGS)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    },
  });
}

/** Brings the database up to date. */
export async function migrate(dataSource: DataSource): Promise<void> {
  await inTurn(dataSource, async (runner) => {
    await createSchema(runner, 'backbone');
    await dataSource.runMigrations({ transaction: 'each' });
  });
}

/** Processes that start together take turns, so that each finds what the one before it has done. */
export async function inTurn(dataSource: DataSource, work: (runner: QueryRunner) => Promise<void>): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SET statement_timeout = 0');
    await runner.query('SET lock_timeout = 0');
    await runner.query('SELECT pg_advisory_lock($1)', [START_LOCK]);
    await work(runner);
  } finally {
    await runner.query('SELECT pg_advisory_unlock_all()');
    await runner.query('RESET ALL');
    await runner.release();
  }
}
