import { defineCounter } from '../../common/metrics/metrics-registry.js';

const OUTCOMES = ['done', 'retried', 'postponed', 'dead', 'suppressed', 'lost'] as const;

export type DeliveryOutcome = (typeof OUTCOMES)[number];

const deliveryAttempts = defineCounter({
  name: 'orderly_delivery_attempts_total',
  help: 'Delivery attempts by outcome; suppressed: the delivery was done, claimed, paused or blocked when its job arrived; lost: another process took over.',
  labelNames: ['subscriber', 'outcome'],
});

export function countAttempt(subscriber: string, outcome: DeliveryOutcome): void {
  deliveryAttempts.inc({ subscriber, outcome });
}

/** Starts the counters at zero: Prometheus computes no increase for a series whose first sample is 1. */
export function initialiseDeliveryCounters(subscribers: readonly string[]): void {
  for (const subscriber of subscribers)
    for (const outcome of OUTCOMES) deliveryAttempts.inc({ subscriber, outcome }, 0);
}
