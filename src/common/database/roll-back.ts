import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { isDatabaseLost } from './database-errors.js';

/** Takes back what a transaction did. The caller already has the error that is to be told, so this adds none. */
export async function rollBack(runner: QueryRunner, reason: unknown): Promise<void> {
  // A connection that is lost takes its transaction with it, and the pool does not take it back.
  if (runner.isReleased || !runner.isTransactionActive || isDatabaseLost(reason)) return;
  try {
    const client: Client = await runner.connect();
    await client.query('ROLLBACK');
  } catch {
    // Lost as well; the caller gets the error that brought us here.
  }
}
