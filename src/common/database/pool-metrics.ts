import { createRegistry, defineGauge, type Registry } from '../metrics/metrics-registry.js';
import type { Database } from './database.js';
import { poolOf } from './pool.js';

/** The connection pool of this process. */
export function poolMetrics(database: Database): Registry {
  const pool = poolOf(database.dataSource);
  const registry = createRegistry();
  defineGauge(
    {
      name: 'orderly_database_connections',
      help: 'Connections in the pool of this process by state; waiting: callers that wait for a connection.',
      labelNames: ['state'],
      collect() {
        const { totalCount, idleCount, waitingCount } = pool;
        this.set({ state: 'in_use' }, totalCount - idleCount);
        this.set({ state: 'idle' }, idleCount);
        this.set({ state: 'waiting' }, waitingCount + database.waitingRequests);
      },
    },
    registry,
  );
  const help = 'Largest number of connections in the pool of this process.';
  defineGauge({ name: 'orderly_database_connections_max', help }, registry).set(pool.options.max ?? 0);
  return registry;
}
