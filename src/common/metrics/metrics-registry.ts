import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

export type { Gauge, Registry };

/**
 * The metrics of this process since its start. Each room defines its own metrics beside the code that counts. Label
 * values come from the code only (route patterns, subscribers, event types): an id or an address would create unlimited
 * series.
 */
export const metricsRegistry = new Registry();

/** Latency buckets in seconds, from a fast statement to the usual timeout of a client. */
export const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export function createRegistry(): Registry {
  return new Registry();
}

/** One registry with the metrics of several. */
export function mergeRegistries(registries: readonly Registry[]): Registry {
  return Registry.merge([...registries]);
}

export function defineCounter<Label extends string>(options: CounterConfiguration<Label>): Counter<Label> {
  return new Counter({ ...options, registers: [metricsRegistry] });
}

export function defineHistogram<Label extends string>(options: HistogramConfiguration<Label>): Histogram<Label> {
  return new Histogram({ ...options, registers: [metricsRegistry] });
}

export function defineGauge<Label extends string>(
  options: GaugeConfiguration<Label>,
  registry: Registry = metricsRegistry,
): Gauge<Label> {
  return new Gauge({ ...options, registers: [registry] });
}
