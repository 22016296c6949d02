import { CommitUnknownError } from '../database/database-errors.js';
import { transactionsEnded } from './measures.js';

/** Counts a transaction by how it ends. */
export async function counted<Result>(module: string, transaction: Promise<Result>): Promise<Result> {
  try {
    const result = await transaction;
    transactionsEnded.inc({ module, outcome: 'committed' });
    return result;
  } catch (error) {
    const isUnknown = error instanceof CommitUnknownError;
    transactionsEnded.inc({ module, outcome: isUnknown ? 'unknown' : 'rolled_back' });
    throw error;
  }
}
