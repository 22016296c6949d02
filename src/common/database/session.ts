import type { EntityManager } from 'typeorm';
import type { WrittenRow } from './lost-commit.js';

/** What SQL can be sent through. Texts are prepared once on every connection, so they must be constants. */
export interface Sql {
  /** Gives the rows. */
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
  /** Goes out with the next statement, and nobody waits for its answer: if it fails, the transaction does. */
  send(sql: string, parameters: readonly unknown[]): void;
}

/** One open transaction, as the backbone sees it. */
export interface Session extends Sql {
  readonly manager: EntityManager;
  /** A row that the transaction writes, once there is one: it tells whether a COMMIT without an answer took place. */
  writtenRow?: WrittenRow;
  /** Whose statements are sent. */
  readonly module: string;
  /** From here on the statements are this module's: they run under its role where roles are enforced. */
  actAs(module: string): void;
}
