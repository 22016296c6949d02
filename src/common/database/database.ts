import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { API_ACTOR, currentContext } from '../context/context.js';
import { discardBrokenConnections } from './broken-connections.js';
import { awaitReadyForQuery, rollBack } from './connection-cleanup.js';
import { ConnectionLimiter } from './connection-limiter.js';
import { isDatabaseLost, NestedTransaction } from './database-errors.js';
import { didCommit } from './lost-commit.js';
import { executePrepared } from './prepared-statement.js';
import { queryRows } from './query-rows.js';
import { roleOf } from './roles.js';
import type { Session, Sql } from './session.js';
import { Statements } from './statements.js';
import { countOutcome } from './transaction-metrics.js';

/** The share of connections that requests may not use: for deliveries, the relay and health checks. */
const RESERVED_SHARE = 0.25;

/** Opens every transaction of the program. TypeORM's own transactions report success when COMMIT answers ROLLBACK. */
export class Database {
  private readonly current = new AsyncLocalStorage<{ isOpen: boolean }>();
  private readonly limiter: ConnectionLimiter;

  /** @param dataSource must be open */
  constructor(
    readonly dataSource: DataSource,
    private readonly options: { readonly enforceRoles: boolean },
  ) {
    discardBrokenConnections(dataSource);
    const { poolSize = 1 } = dataSource.options;
    this.limiter = new ConnectionLimiter(Math.max(1, poolSize - Math.ceil(poolSize * RESERVED_SHARE)));
  }

  /** The number of requests that wait for a connection. */
  get waitingRequests(): number {
    return this.limiter.waiting;
  }

  /**
   * Runs the work in one transaction that starts as the given module.
   * @throws {NestedTransaction} inside another one
   * @throws {Overloaded} when too many requests wait for a connection
   * @throws {RolledBack} when the work swallowed an error of a statement
   * @throws {CommitUnknown} when the connection was lost during COMMIT and the outcome could not be found out
   */
  async transaction<Result>(module: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.limited(() => countOutcome(module, this.transact(module, work)));
  }

  /** Reads as the given module, on its own connection. @throws {NestedTransaction} inside a transaction */
  async read<Result>(module: string, work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    if (this.options.enforceRoles) return this.transaction(module, ({ manager }) => work(manager));
    return this.limited(() => this.withConnection(({ manager }) => work(manager)));
  }

  /** Runs one statement as the backbone, in its own transaction. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.read('backbone', (manager) => queryRows<Row>(manager, sql, parameters));
  }

  /** The same for a constant text, which is prepared once on every connection. */
  readonly prepared: Pick<Sql, 'query'> = { query: (sql, parameters) => this.queryPrepared(sql, parameters) };

  /** A nested call is refused: callers that hold a connection and wait for a second one could deadlock. */
  private async limited<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.current.getStore()?.isOpen) throw new NestedTransaction();
    if (currentContext()?.actor !== API_ACTOR) return work();
    await this.limiter.acquire();
    try {
      return await work();
    } finally {
      this.limiter.release();
    }
  }

  private async queryPrepared<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    if (this.options.enforceRoles)
      return this.transaction('backbone', (session) => session.query<Row>(sql, parameters));
    return this.limited(() =>
      this.withConnection(async (runner) => {
        const client: Client = await runner.connect();
        const { rows } = await executePrepared(client, sql, parameters);
        return rows as Row[];
      }),
    );
  }

  private async withConnection<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(runner);
    } catch (error) {
      await awaitReadyForQuery(runner, error);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async transact<Result>(module: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    const state = { isOpen: true };
    try {
      const statements = await Statements.begin(runner);
      const session = this.sessionOf(runner, statements);
      const result = await this.current
        .run(state, async () => {
          session.actAs(module);
          return work(session);
        })
        .catch((error: unknown) => statements.fail(error));
      await this.commit(statements, session);
      return result;
    } catch (error) {
      await rollBack(runner, error);
      throw error;
    } finally {
      state.isOpen = false;
      await runner.release();
    }
  }

  private sessionOf({ manager }: QueryRunner, statements: Statements): Session {
    const { enforceRoles } = this.options;
    let current = '';
    return {
      manager,
      query: (sql, parameters) => statements.query(sql, parameters),
      send: (sql, parameters) => statements.send(sql, parameters),
      get module() {
        return current;
      },
      actAs(module) {
        if (enforceRoles && module !== current) statements.send(`SET LOCAL ROLE ${roleOf(module)}`, []);
        current = module;
      },
    };
  }

  private async commit(statements: Statements, { writtenRow }: Session): Promise<void> {
    try {
      await statements.commit();
    } catch (error) {
      const { transactionId } = statements;
      if (!isDatabaseLost(error)) throw error;
      const trace = transactionId && writtenRow ? { transactionId, row: writtenRow } : undefined;
      if (!(await didCommit(trace, this.dataSource.manager, error))) throw error;
    }
  }
}
