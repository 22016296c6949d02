import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { CommitUnknownError, isDatabaseLost } from './database-errors.js';
import { rowsOf } from './rows-of.js';

/** How long the outcome of a lost COMMIT is looked for before the caller is told that it is unknown. */
const OUTCOME_WAIT_MS = 5_000;

/** What lets the outcome of a lost COMMIT be looked up. */
export interface Trace {
  /** PostgreSQL's number of the transaction: tells when it is over, but not how. */
  readonly transactionId: string;
  /** An event that it wrote: is there if it was committed. */
  readonly eventId: string;
}

/**
 * Finds out what became of a transaction whose COMMIT got no answer.
 * @param trace undefined where it wrote no event, or nobody knows its number
 * @throws {CommitUnknownError} when that could not be learned in time
 */
export async function didCommit(trace: Trace | undefined, manager: EntityManager, cause: unknown): Promise<boolean> {
  const deadline = performance.now() + OUTCOME_WAIT_MS;
  while (trace && performance.now() < deadline) {
    const { isStored, isOver } = await lookUp(trace, manager);
    if (isStored || isOver) return isStored;
    await pause(100);
  }
  throw new CommitUnknownError('The connection was lost during COMMIT and its outcome is not known', { cause });
}

/**
 * Believes the row, not the number: when PostgreSQL crashes, it gives numbers that did not reach the disk to other
 * transactions, and `pg_xact_status` would tell of theirs.
 */
async function lookUp({ transactionId, eventId }: Trace, manager: EntityManager) {
  const unknown = { isStored: false, isOver: false };
  const sql = `SELECT EXISTS (SELECT FROM backbone.event WHERE id = $2) AS "isStored",
                      pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) AS "isOver"`;
  try {
    const [row] = await rowsOf<typeof unknown>(manager, sql, [transactionId, eventId]);
    return row ?? unknown;
  } catch (error) {
    if (isDatabaseLost(error)) return unknown;
    throw error;
  }
}
