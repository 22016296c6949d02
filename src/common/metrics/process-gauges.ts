import { createRequire } from 'node:module';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Database } from '../database/database.js';
import { poolOf } from '../database/pool.js';

const { version }: { version: string } = createRequire(import.meta.url)('../../../package.json');

/** What this process is, and how it does at the moment. */
export function processGauges(database: Database): Registry {
  const { dataSource } = database;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'orderly_build_info',
    help: 'Always 1; the version that runs is in its label.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  const connections = new Gauge({
    name: 'orderly_database_connections',
    help: 'Connections in the pool of this process; waiting: callers for whom there is none.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const { totalCount, idleCount, waitingCount } = poolOf(dataSource);
      this.set({ state: 'in_use' }, totalCount - idleCount);
      this.set({ state: 'idle' }, idleCount);
      this.set({ state: 'waiting' }, waitingCount + database.requestsInLine);
    },
  });
  registry.registerMetric(connections);
  new Gauge({
    name: 'orderly_database_connections_max',
    help: 'Connections that the pool of this process may open.',
    registers,
  }).set(poolOf(dataSource).options.max ?? 0);
  return registry;
}
