import { CommitUnknownError } from '../database/database-errors.js';
import { transactionsEnded } from './measures.js';
import type { TransactionOutcome } from './zeros.js';

/** Counts a transaction by how it ends. */
export async function counted<Result>(module: string, transaction: Promise<Result>): Promise<Result> {
  try {
    const result = await transaction;
    count(module, 'committed');
    return result;
  } catch (error) {
    count(module, error instanceof CommitUnknownError ? 'unknown' : 'rolled_back');
    throw error;
  }
}

function count(module: string, outcome: TransactionOutcome): void {
  transactionsEnded.inc({ module, outcome });
}
