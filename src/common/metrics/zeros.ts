import { deliveryAttempts, transactionsEnded } from './measures.js';

const TRANSACTION_OUTCOMES = ['committed', 'rolled_back', 'unknown'] as const;
const DELIVERY_OUTCOMES = ['done', 'retried', 'postponed', 'dead', 'suppressed', 'lost'] as const;

export type TransactionOutcome = (typeof TRANSACTION_OUTCOMES)[number];
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** Prometheus sees no increase in a series that begins with 1, so what may never happen is counted from the start. */
export function beginAtZero(modules: readonly string[], subscribers: readonly string[]): void {
  for (const module of modules)
    for (const outcome of TRANSACTION_OUTCOMES) transactionsEnded.inc({ module, outcome }, 0);
  for (const subscriber of subscribers)
    for (const outcome of DELIVERY_OUTCOMES) deliveryAttempts.inc({ subscriber, outcome }, 0);
}
