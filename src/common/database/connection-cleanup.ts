import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { isDatabaseLost, sqlStateOf } from './database-errors.js';

/** Rolls the transaction back, if it is still active. Throws no error: the caller already has the reason. */
export async function rollBack(runner: QueryRunner, reason: unknown): Promise<void> {
  if (runner.isTransactionActive) await sendIgnoringErrors('ROLLBACK', runner, reason);
}

/**
 * Waits for the ReadyForQuery message after an error. PostgreSQL sends it behind the error, and the driver learns only
 * from it whether the connection is still in a transaction. The empty statement cannot fail in an aborted transaction.
 */
export async function awaitReadyForQuery(runner: QueryRunner, reason: unknown): Promise<void> {
  if (sqlStateOf(reason)) await sendIgnoringErrors('', runner, reason);
}

async function sendIgnoringErrors(sql: string, runner: QueryRunner, reason: unknown): Promise<void> {
  // PostgreSQL ends the transaction of a lost connection, and the pool removes the connection.
  if (runner.isReleased || isDatabaseLost(reason)) return;
  try {
    const client: Client = await runner.connect();
    await client.query(sql);
  } catch {
    // The caller gets `reason`.
  }
}
