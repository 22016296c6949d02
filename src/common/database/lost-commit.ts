import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { CommitUnknown, isDatabaseLost } from './database-errors.js';
import { queryRows } from './query-rows.js';

/** How long the outcome of a lost COMMIT is looked for before the caller is told that it is unknown. */
const OUTCOME_WAIT_MS = 5_000;

/** A row that a transaction writes: it exists afterwards if the transaction was committed. */
export interface WrittenRow {
  /** Selects the row by the parameter $2. */
  readonly select: string;
  readonly id: string;
}

/** By which the outcome of a lost COMMIT is looked up. */
export interface Trace {
  /** PostgreSQL's number of the transaction: tells whether it has ended, but not how. */
  readonly transactionId: string;
  readonly row: WrittenRow;
}

/**
 * Finds out what became of a transaction whose COMMIT got no answer.
 * @param trace undefined where the transaction wrote no known row, or its number is not known
 * @throws {CommitUnknown} when that could not be learned in time
 */
export async function didCommit(trace: Trace | undefined, manager: EntityManager, cause: unknown): Promise<boolean> {
  const deadline = performance.now() + OUTCOME_WAIT_MS;
  while (trace && performance.now() < deadline) {
    const { isStored, isOver } = await lookUp(trace, manager);
    if (isStored || isOver) return isStored;
    await pause(100);
  }
  throw new CommitUnknown('The connection was lost during COMMIT and its outcome is not known', { cause });
}

/**
 * Believes the row, not the number: when PostgreSQL crashes, it gives numbers that did not reach the disk to other
 * transactions, and `pg_xact_status` would tell of theirs.
 */
async function lookUp({ transactionId, row: written }: Trace, manager: EntityManager) {
  const unknown = { isStored: false, isOver: false };
  const sql = `SELECT EXISTS (${written.select}) AS "isStored",
                      pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) AS "isOver"`;
  try {
    const [row] = await queryRows<typeof unknown>(manager, sql, [transactionId, written.id]);
    return row ?? unknown;
  } catch (error) {
    if (isDatabaseLost(error)) return unknown;
    throw error;
  }
}
