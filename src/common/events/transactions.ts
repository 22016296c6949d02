import type { Provider } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import type { Transaction } from './transaction.js';
import { UnitOfWork } from './unit-of-work.js';

/** A module's door to the database: its rows, its facts, its role. */
export class Transactions {
  constructor(
    private readonly module: string,
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Runs one use case: its rows, its events, the plain reactions to them and the deliveries of the others commit
   * together or not at all. The work may run again after a deadlock, so it must touch nothing but the transaction.
   */
  run<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.unitOfWork.run(this.module, work);
  }

  /** Reads this module's rows. */
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return this.database.read(this.module, work);
  }
}

export function transactionsOf(module: string): Provider {
  return {
    provide: Transactions,
    useFactory: (database: Database, unitOfWork: UnitOfWork) => new Transactions(module, database, unitOfWork),
    inject: [Database, UnitOfWork],
  };
}
