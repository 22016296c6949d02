import { defineCounter, defineHistogram, LATENCY_SECONDS } from '../../common/metrics/metrics-registry.js';

export const eventsPublished = defineCounter({
  name: 'orderly_events_published_total',
  help: 'Committed events.',
  labelNames: ['type'],
});

/** The largest bucket covers the default time-out of handlers, 30 s: a mail server may take that long. */
export const handlerSeconds = defineHistogram({
  name: 'orderly_handler_duration_seconds',
  help: 'Duration of handlers: in committed transactions of publishers, and of every delivery attempt.',
  labelNames: ['subscriber'],
  buckets: [...LATENCY_SECONDS, 30],
});
