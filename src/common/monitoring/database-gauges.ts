import type { EntityManager } from 'typeorm';
import { createRegistry } from '../metrics/metrics-registry.js';

/**
 * Gauges whose values are rows of the database, read when Prometheus scrapes. Every process reports the same values, so
 * a query over processes takes the maximum and not the sum.
 */
export abstract class DatabaseGauges {
  readonly registry = createRegistry();
  /** A slow read may outlast a scrape, and its result is used for some seconds. */
  readonly isSlow: boolean = false;

  /** Returns a function that sets the gauges to the values that were read. */
  abstract read(manager: EntityManager): Promise<() => void>;

  /** Called at every scrape: without an answer of the database the gauges have no values instead of old ones. */
  reset(): void {
    this.registry.resetMetrics();
  }
}
