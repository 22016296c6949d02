import { createRequire } from 'node:module';
import { collectDefaultMetrics } from 'prom-client';
import { createRegistry, defineGauge, type Registry } from './metrics-registry.js';

const { version }: { version: string } = createRequire(import.meta.url)('../../../package.json');

/** The build of this process, and its memory, garbage collection and event loop. */
export function processMetrics(): Registry {
  const registry = createRegistry();
  collectDefaultMetrics({ register: registry });
  const help = 'Always 1; the label has the version of the running build.';
  defineGauge({ name: 'orderly_build_info', help, labelNames: ['version'] }, registry).set({ version }, 1);
  return registry;
}
