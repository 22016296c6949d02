import type { EntityManager } from 'typeorm';
import type { WrittenRow } from './lost-commit.js';

/** Sends SQL. Texts are prepared once on every connection, so they must be constants. */
export interface Sql {
  /** Returns the rows. */
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
  /** Sends a statement together with the next one and does not wait. If it fails, the transaction fails. */
  send(sql: string, parameters: readonly unknown[]): void;
}

/** One open transaction, as the backbone uses it. */
export interface Session extends Sql {
  readonly manager: EntityManager;
  /** A row that the transaction writes, if any: shows whether a COMMIT without an answer was executed. */
  writtenRow?: WrittenRow;
  /** The module that sends the statements. */
  readonly module: string;
  /** Makes this module the sender of the following statements: they run under its role where roles are enforced. */
  actAs(module: string): void;
}
