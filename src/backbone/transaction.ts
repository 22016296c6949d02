import type { EntityManager } from 'typeorm';
import type { Database } from '../common/database/database.js';
import type { Sql } from '../common/database/session.js';
import type { Fact } from './domain-event.js';

/** A transaction: changed rows, published events, and the reactions of other modules commit together. */
export interface Transaction extends Sql {
  /** For SQL that is not worth a prepared statement. */
  readonly manager: EntityManager;
  /** Publishes a fact. It becomes an event when the transaction commits, and never existed when it rolls back. */
  publish(fact: Fact): void;
  /** Defers an insert until all reactions have run, because they may still change the row. It cannot be read before. */
  insertBeforeCommit(write: () => void): void;
}

/** Runs work in a transaction that starts as the given module. Provided by publishing/unit-of-work.ts. */
export abstract class TransactionRunner {
  abstract run<Result>(module: string, work: (tx: Transaction) => Promise<Result>): Promise<Result>;
}

/** A module's access to the database: its rows, its events, its role. */
export class Transactions {
  constructor(
    private readonly module: string,
    private readonly database: Database,
    private readonly runner: TransactionRunner,
  ) {}

  /**
   * Runs one use case: its rows, its events, the plain reactions to them and the deliveries for other subscribers
   * commit together or not at all. The work may run again after a deadlock, so it must change nothing but the
   * transaction.
   *
   * In a request with an `Idempotency-Key`, the first run of the request also claims the key and stores the answer, in
   * the same transaction (common/idempotency/current-claim.ts). So such a request must do its work in one run.
   */
  run<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.runner.run(this.module, work);
  }

  /** Reads rows of this module. */
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return this.database.read(this.module, work);
  }
}
