import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
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

type EntityTarget = abstract new (...parameters: never) => unknown;

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly entities: readonly EntityTarget[];
  /** TypeORM runs them in the sequence of the timestamps at the end of their names. */
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** The longest time for one statement; 0: as long as it takes. */
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
  await withStartLock(dataSource, async (runner) => {
    await createSchema(runner, 'backbone');
    await dataSource.runMigrations({ transaction: 'each' });
  });
}

/** Processes that start together take turns, so that each finds what the one before it has done. */
export async function withStartLock(
  dataSource: DataSource,
  work: (runner: QueryRunner) => Promise<void>,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    // Asked again and again, because a statement that waits for its turn may be taken for one without an answer.
    while (!(await tryStartLock(runner))) await pause(TURN_EVERY_MS);
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
