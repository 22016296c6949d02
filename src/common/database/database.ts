import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { currentContext, REQUESTS } from '../events/context.js';
import { counted } from '../metrics/transaction-outcomes.js';
import { isDatabaseLost, NestedTransactionError } from './database-errors.js';
import { Entrance } from './entrance.js';
import { keepConnectionsFit } from './fit-connections.js';
import { didCommit } from './lost-commit.js';
import { ask } from './prepared-statement.js';
import { roleOf } from './roles.js';
import { hearOut, rollBack } from './roll-back.js';
import { rowsOf } from './rows-of.js';
import type { Session, Sql } from './session.js';
import { Statements } from './statements.js';

/** One connection of so many is kept for what is no request: deliveries, the relay, health checks. */
const KEPT_ONE_OF = 4;

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
    return this.inTurn(() => this.connected(({ manager }) => work(manager)));
  }

  /** One statement of the backbone's own, in a transaction of its own. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.read('backbone', (manager) => rowsOf<Row>(manager, sql, parameters));
  }

  /** The same for a constant, which is prepared once on every connection. */
  readonly prepared: Pick<Sql, 'query'> = { query: (sql, parameters) => this.ask(sql, parameters) };

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

  private async ask<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    if (this.options.enforceRoles)
      return this.transaction('backbone', (session) => session.query<Row>(sql, parameters));
    return this.inTurn(() =>
      this.connected(async (runner) => {
        const client: Client = await runner.connect();
        const { rows } = await ask(client, sql, parameters);
        return rows as Row[];
      }),
    );
  }

  /** On a connection of its own, outside of any transaction. */
  private async connected<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(runner);
    } catch (error) {
      await hearOut(runner, error);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async transact<Result>(module: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    const state = { live: true };
    try {
      const statements = await Statements.begin(runner);
      const session = this.sessionOf(runner, statements);
      const result = await this.open
        .run(state, async () => {
          session.become(module);
          return work(session);
        })
        .catch((error: unknown) => statements.fail(error));
      await this.commit(statements, session);
      return result;
    } catch (error) {
      await rollBack(runner, error);
      throw error;
    } finally {
      state.live = false;
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
      become(module) {
        if (enforceRoles && module !== current) statements.send(`SET LOCAL ROLE ${roleOf(module)}`, []);
        current = module;
      },
    };
  }

  private async commit(statements: Statements, { eventId }: Session): Promise<void> {
    try {
      await statements.commit();
    } catch (error) {
      const { transactionId } = statements;
      if (!isDatabaseLost(error)) throw error;
      const trace = transactionId && eventId ? { transactionId, eventId } : undefined;
      if (!(await didCommit(trace, this.dataSource.manager, error))) throw error;
    }
  }
}
