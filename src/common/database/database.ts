import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { currentContext, REQUESTS } from '../events/context.js';
import { counted } from '../metrics/transaction-outcomes.js';
import { CommitUnknownError, isDatabaseLost, NestedTransactionError, RolledBackError } from './database-errors.js';
import { Entrance } from './entrance.js';
import { keepConnectionsFit } from './fit-connections.js';
import { roleOf } from './roles.js';
import { hearOut, rollBack } from './roll-back.js';
import { Statements } from './statements.js';

/** How long the outcome of a lost COMMIT is looked for before the caller is told that it is unknown. */
const OUTCOME_WAIT_MS = 5_000;

/** One connection of so many is kept for what is no request: deliveries, the relay, health checks. */
const KEPT_ONE_OF = 4;

/** What lets the outcome of a lost COMMIT be looked up. */
interface Trace {
  /** PostgreSQL's number of the transaction: tells when it is over, but not how. */
  readonly transactionId: string;
  /** An event that it wrote: is there if it was committed. */
  readonly eventId: string;
}

/** One open transaction, as the backbone sees it. Modules see its manager alone. */
export interface Session {
  readonly manager: EntityManager;
  /** Once there is one. */
  trace?: Trace;
  /** From here on the statements are this module's: they run under its role where roles are enforced. */
  become(module: string): Promise<void>;
}

/** The one owner of transactions. TypeORM's own would take a COMMIT that rolled back for success. */
export class Database {
  private readonly open = new AsyncLocalStorage<{ live: boolean }>();
  private readonly entrance: Entrance;

  /** @param dataSource an open one */
  constructor(
    readonly dataSource: DataSource,
    private readonly options: { readonly enforceRoles: boolean },
  ) {
    keepConnectionsFit(dataSource);
    const { poolSize = 1 } = dataSource.options;
    this.entrance = new Entrance(Math.max(1, poolSize - Math.ceil(poolSize / KEPT_ONE_OF)));
  }

  /** Requests that wait until there is room for them. */
  get requestsInLine(): number {
    return this.entrance.length;
  }

  /**
   * Runs the work in one transaction that starts as the given module.
   * @throws {NestedTransactionError} inside another one
   * @throws {Overloaded} when too many requests wait for a connection
   * @throws {RolledBackError} when the work swallowed an error of a statement
   * @throws {CommitUnknownError} when the connection died during COMMIT and the outcome could not be learned
   */
  async transaction<Result>(module: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.inTurn(() => counted(module, this.transact(module, work)));
  }

  /** Reads as the given module, on a connection of its own. @throws {NestedTransactionError} inside a transaction */
  async read<Result>(module: string, work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    if (this.options.enforceRoles) return this.transaction(module, ({ manager }) => work(manager));
    return this.inTurn(() => this.readOn(this.dataSource.createQueryRunner(), work));
  }

  /** One statement of the backbone's own, in a transaction of its own. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.read('backbone', (manager) => rowsOf<Row>(manager, sql, parameters));
  }

  /** Requests wait until there is room for them. Who has a connection and waited for a second one might wait for ever. */
  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.open.getStore()?.live) throw new NestedTransactionError();
    if (currentContext()?.actor !== REQUESTS) return work();
    await this.entrance.enter();
    try {
      return await work();
    } finally {
      this.entrance.leave();
    }
  }

  private async readOn<Result>(
    runner: QueryRunner,
    work: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(runner.manager);
    } catch (error) {
      await hearOut(runner, error);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async transact<Result>(module: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    const statements = new Statements(runner);
    const session = this.sessionOf(runner);
    const state = { live: true };
    try {
      await runner.startTransaction();
      await session.become(module);
      const result = await this.open.run(state, () => work(session));
      await statements.end();
      await this.commit(runner, session);
      return result;
    } catch (error) {
      await statements.end();
      await rollBack(runner, error);
      throw error;
    } finally {
      state.live = false;
      await runner.release();
    }
  }

  private sessionOf(runner: QueryRunner): Session {
    const { enforceRoles } = this.options;
    let current = '';
    return {
      manager: runner.manager,
      async become(module) {
        if (!enforceRoles || module === current) return;
        await runner.query(`SET LOCAL ROLE ${roleOf(module)}`);
        current = module;
      },
    };
  }

  private async commit(runner: QueryRunner, session: Session): Promise<void> {
    const client: Client = await runner.connect();
    try {
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new RolledBackError();
    } catch (error) {
      if (!isDatabaseLost(error)) throw error;
      if (!(await this.didCommit(session.trace, error))) throw error;
    }
  }

  /** Finds out what became of a transaction whose COMMIT got no answer. */
  private async didCommit(trace: Trace | undefined, cause: unknown): Promise<boolean> {
    const deadline = performance.now() + OUTCOME_WAIT_MS;
    while (trace && performance.now() < deadline) {
      const { isStored, isOver } = await this.lookUp(trace);
      if (isStored || isOver) return isStored;
      await pause(100);
    }
    throw new CommitUnknownError('The connection was lost during COMMIT and its outcome is not known', { cause });
  }

  /**
   * Believes the row, not the number: when PostgreSQL crashes, it gives numbers that did not reach the disk to other
   * transactions, and `pg_xact_status` would tell of theirs.
   */
  private async lookUp({ transactionId, eventId }: Trace): Promise<{ isStored: boolean; isOver: boolean }> {
    const unknown = { isStored: false, isOver: false };
    const sql = `SELECT EXISTS (SELECT FROM backbone.event WHERE id = $2) AS "isStored",
                        pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) AS "isOver"`;
    try {
      const [row] = await rowsOf<typeof unknown>(this.dataSource.manager, sql, [transactionId, eventId]);
      return row ?? unknown;
    } catch (error) {
      if (isDatabaseLost(error)) return unknown;
      throw error;
    }
  }
}

/** Rows of a statement. TypeORM wraps those of UPDATE and DELETE in a pair with their number. */
export async function rowsOf<Row>(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const answer: unknown[] = await manager.query(sql, [...parameters]);
  const paired = answer.length === 2 && Array.isArray(answer[0]) && typeof answer[1] === 'number';
  return (paired ? answer[0] : answer) as Row[];
}
