import { defineCounter } from '../metrics/metrics-registry.js';
import { CommitUnknown } from './database-errors.js';

const OUTCOMES = ['committed', 'rolled_back', 'unknown'] as const;

type Outcome = (typeof OUTCOMES)[number];

const transactionsEnded = defineCounter({
  name: 'orderly_transactions_total',
  help: 'Transactions by outcome; unknown: the connection was lost during COMMIT and the outcome was not found out.',
  labelNames: ['module', 'outcome'],
});

/** Counts a transaction by its outcome. */
export async function countOutcome<Result>(module: string, transaction: Promise<Result>): Promise<Result> {
  try {
    const result = await transaction;
    count(module, 'committed');
    return result;
  } catch (error) {
    count(module, error instanceof CommitUnknown ? 'unknown' : 'rolled_back');
    throw error;
  }
}

/** Starts the counters at zero: Prometheus computes no increase for a series whose first sample is 1. */
export function initialiseTransactionCounters(modules: readonly string[]): void {
  for (const module of modules) for (const outcome of OUTCOMES) transactionsEnded.inc({ module, outcome }, 0);
}

function count(module: string, outcome: Outcome): void {
  transactionsEnded.inc({ module, outcome });
}
