import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type MixedList, type QueryRunner } from 'typeorm';
import { CreateBackbone1764000000000 } from '../events/migrations/1764000000000-create-backbone.js';
import { CreateOperations1764000000200 } from '../events/migrations/1764000000200-create-operations.js';
import { CreatePrunedDeliveries1764000000300 } from '../events/migrations/1764000000300-create-pruned-deliveries.js';
import { CreateSubscriberTypes1764000000600 } from '../events/migrations/1764000000600-create-subscriber-types.js';
import { CreateIdempotencyKeys1764000000100 } from '../idempotency/migrations/1764000000100-create-idempotency-keys.js';
import type { ModuleDefinition } from '../module-definition.js';
import { CreateReconciliation1764000000400 } from '../reconciliation/migrations/1764000000400-create-reconciliation.js';
import { KeepWhyACheckFailed1764000000500 } from '../reconciliation/migrations/1764000000500-keep-why-a-check-failed.js';
import { KeepWhatIsSettled1764000000700 } from '../reconciliation/migrations/1764000000700-keep-what-is-settled.js';
import { createSchema } from './roles.js';

const SESSION_SETTINGS = {
  // No statement, lock or forgotten transaction may hold the others up for longer.
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '20s',
  // Rows are looked up by their keys, on disks without arms: to read all of a small table instead is what costs.
  random_page_cost: '1.1',
  // Compiling takes longer than any statement of ours.
  jit: 'off',
};
const STATEMENT_MS = 15_000;
const NO_ANSWER_FACTOR = 4 / 3;
/** A connection that is silent for this long is asked whether it is still there. */
const KEEP_ALIVE_MS = 10_000;
/** Also the longest wait for one that is free. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Lets one process at a time prepare the database; the number is arbitrary, but for ever the same. */
const START_LOCK = 734_001;
const TURN_EVERY_MS = 50;

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly modules: readonly ModuleDefinition[];
  /** The longest time for one statement; 0: as long as it takes. */
  readonly statementMs?: number;
}

/** One data source for the program, its migrations and its tests. */
export function createDataSource({
  url,
  poolSize,
  modules,
  statementMs = STATEMENT_MS,
}: DataSourceOptions): DataSource {
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
      CreateReconciliation1764000000400,
      KeepWhyACheckFailed1764000000500,
      CreateSubscriberTypes1764000000600,
      KeepWhatIsSettled1764000000700,
      ...migrations,
    ],
    migrationsTableName: 'migration',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: 'orderly',
    extra: {
      // Several statements may be on their way at once, each with an answer of its own.
      pipeline: true,
      // Finds out within half a minute that the other side is gone, also where nobody says so.
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // PostgreSQL ends a statement in time; who hears nothing for longer than that talks to nobody.
      query_timeout: statementMs && Math.round(statementMs * NO_ANSWER_FACTOR),
      options: Object.entries({ ...SESSION_SETTINGS, statement_timeout: statementMs })
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    },
  });
}

/** Brings the database up to date. Building an index takes as long as it takes, so `statementMs` had better be 0. */
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
    // Asked again and again, because a statement that waits for its turn may be taken for one without an answer.
    while (!(await isOurTurn(runner))) await pause(TURN_EVERY_MS);
    await work(runner);
  } finally {
    await runner.query('SELECT pg_advisory_unlock_all()');
    await runner.release();
  }
}

async function isOurTurn(runner: QueryRunner): Promise<boolean> {
  const [row]: { isOurs: boolean }[] = await runner.query('SELECT pg_try_advisory_lock($1) AS "isOurs"', [START_LOCK]);
  return row?.isOurs === true;
}
