import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { CommitUnknown, isDatabaseLost } from './database-errors.js';
import { queryRows } from './query-rows.js';

/** The longest search for the outcome of a lost COMMIT. Afterwards it is reported as unknown. */
const OUTCOME_WAIT_MS = 5_000;

/** A row that a transaction inserts: it exists afterwards if the transaction was committed. */
export interface WrittenRow {
  /** Selects the row by the parameter $2. */
  readonly select: string;
  readonly id: string;
}

/** Identifies a transaction whose COMMIT was lost. */
export interface Trace {
  /** PostgreSQL's transaction id: shows whether the transaction has ended, but not whether it was committed. */
  readonly transactionId: string;
  readonly row: WrittenRow;
}

/**
 * Finds out whether a transaction was committed whose COMMIT got no answer.
 * @param trace undefined where the transaction wrote no known row, or its id is unknown
 * @throws {CommitUnknown} when that could not be found out in time
 */
export async function didCommit(trace: Trace | undefined, manager: EntityManager, cause: unknown): Promise<boolean> {
  const deadline = performance.now() + OUTCOME_WAIT_MS;
  while (trace && performance.now() < deadline) {
    const { isStored, isOver } = await lookUp(trace, manager);
    if (isStored || isOver) return isStored;
    await pause(100);
  }
  throw new CommitUnknown('The connection was lost during COMMIT, and the outcome is unknown', { cause });
}

/**
 * Decides by the row and not by `pg_xact_status`: after a crash PostgreSQL reuses transaction ids that had not reached
 * the disk, and the status would be that of another transaction.
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
