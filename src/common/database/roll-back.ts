import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { isDatabaseLost, sqlStateOf } from './database-errors.js';

/** Takes back what a transaction did. */
export async function rollBack(runner: QueryRunner, reason: unknown): Promise<void> {
  if (runner.isTransactionActive) await sendIgnoringErrors('ROLLBACK', runner, reason);
}

/**
 * Waits for the end of an answer that was an error: PostgreSQL sends the error ahead of it, and until it has come nobody
 * knows whether the connection is fit for others. Nothing is asked that could fail in its turn.
 */
export async function awaitReadyForQuery(runner: QueryRunner, reason: unknown): Promise<void> {
  if (sqlStateOf(reason)) await sendIgnoringErrors('', runner, reason);
}

/** The caller already has the error that is to be told, so this adds none. */
async function sendIgnoringErrors(sql: string, runner: QueryRunner, reason: unknown): Promise<void> {
  // A connection that is lost takes its transaction with it, and the pool does not take it back.
  if (runner.isReleased || isDatabaseLost(reason)) return;
  try {
    const client: Client = await runner.connect();
    await client.query(sql);
  } catch {
    // Lost as well; the caller gets the error that brought us here.
  }
}
