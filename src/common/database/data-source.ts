import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createSchema } from './roles.js';

const SESSION_SETTINGS = {
  // A lock or a forgotten transaction blocks other transactions for no longer than this.
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '20s',
  // Assumes SSDs, so random reads cost about as much as sequential ones, and index scans are preferred to table scans.
  random_page_cost: '1.1',
  // Compilation would take longer than any statement of this program.
  jit: 'off',
};
const STATEMENT_MS = 15_000;
/** `query_timeout` of the driver by `statement_timeout` of PostgreSQL, which normally ends a statement first. */
const QUERY_TIMEOUT_FACTOR = 4 / 3;
/** TCP keep-alive probes start after this idle time. */
const KEEP_ALIVE_MS = 10_000;
/** Also the longest wait for a free connection of the pool. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Advisory lock: one process at a time migrates the database. The number is arbitrary and must never change. */
const START_LOCK = 734_001;
const START_LOCK_RETRY_MS = 50;

type EntityTarget = abstract new (...parameters: never) => unknown;

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly entities: readonly EntityTarget[];
  /** TypeORM runs them in the sequence of the timestamps at the end of their names. */
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** The longest time for one statement; 0: no limit. */
  readonly statementMs?: number;
}

/** One data source for the program, its migrations and its tests. */
export function createDataSource({
  url,
  poolSize,
  entities,
  migrations,
  statementMs = STATEMENT_MS,
}: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    schema: 'backbone',
    entities: [...entities],
    migrations: [...migrations],
    migrationsTableName: 'migration',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: 'orderly',
    extra: {
      // Statements are sent without waiting for the answers to earlier ones.
      pipeline: true,
      // Detects within half a minute a server that disappeared without closing the connection.
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // Without an answer after this time the connection is dead: PostgreSQL ends a statement at statement_timeout.
      query_timeout: statementMs && Math.round(statementMs * QUERY_TIMEOUT_FACTOR),
      options: Object.entries({ ...SESSION_SETTINGS, statement_timeout: statementMs })
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    },
  });
}

/** Runs pending migrations. Building an index may take long, so the data source should have `statementMs` 0. */
export async function migrate(dataSource: DataSource): Promise<void> {
  await withStartLock(dataSource, async (runner) => {
    await createSchema(runner, 'backbone');
    await dataSource.runMigrations({ transaction: 'each' });
  });
}

/** Runs the work while no other process that starts runs its own, so each finds what the previous one has done. */
export async function withStartLock(
  dataSource: DataSource,
  work: (runner: QueryRunner) => Promise<void>,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    // Polls, because a statement that waits for the lock could exceed query_timeout.
    while (!(await tryStartLock(runner))) await pause(START_LOCK_RETRY_MS);
    await work(runner);
  } finally {
    await runner.query('SELECT pg_advisory_unlock_all()');
    await runner.release();
  }
}

async function tryStartLock(runner: QueryRunner): Promise<boolean> {
  const [row]: { isOurs: boolean }[] = await runner.query('SELECT pg_try_advisory_lock($1) AS "isOurs"', [START_LOCK]);
  return row?.isOurs === true;
}
