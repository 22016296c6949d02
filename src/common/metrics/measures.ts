import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * What this process has done since it started. Labels take their values from the code: routes as patterns, subscribers,
 * types of events. An id or an address in one would make a new series for every order.
 */
export const measures = new Registry();

const registers = [measures];
/** From a quick statement to the patience of a caller, and of a mail server. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HANDLER_SECONDS = [...REQUEST_SECONDS, 30];

export const httpRequestSeconds = new Histogram({
  name: 'orderly_http_request_duration_seconds',
  help: 'HTTP requests, until their answers were written.',
  labelNames: ['method', 'route', 'status'],
  buckets: REQUEST_SECONDS,
  registers,
});

export const transactionsEnded = new Counter({
  name: 'orderly_transactions_total',
  help: 'Transactions by outcome; unknown: the connection was lost during COMMIT and its outcome could not be learned.',
  labelNames: ['module', 'outcome'],
  registers,
});

export const eventsPublished = new Counter({
  name: 'orderly_events_published_total',
  help: 'Events that were committed.',
  labelNames: ['type'],
  registers,
});

export const deliveryAttempts = new Counter({
  name: 'orderly_delivery_attempts_total',
  help: 'Attempts at deliveries by outcome; suppressed: done, being handled, paused or not its turn when its job came.',
  labelNames: ['subscriber', 'outcome'],
  registers,
});

export const handlerSeconds = new Histogram({
  name: 'orderly_handler_duration_seconds',
  help: 'Runs of handlers: of those within the transaction of a publisher that was committed, and of all that run later.',
  labelNames: ['subscriber'],
  buckets: HANDLER_SECONDS,
  registers,
});

export const loopRounds = new Gauge({
  name: 'orderly_loop_last_round_timestamp_seconds',
  help: 'When a loop of this process finished its last round.',
  labelNames: ['loop'],
  registers,
});
