import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectDefaultMetrics } from 'prom-client';
import { createRegistry, defineGauge, type Registry } from './metrics-registry.js';

/** The build of this process, and its memory, garbage collection and event loop. */
export function processMetrics(): Registry {
  const registry = createRegistry();
  collectDefaultMetrics({ register: registry });
  const help = 'Always 1; the label has the version of the running build.';
  const version = versionAbove(fileURLToPath(import.meta.url)) ?? 'unknown';
  defineGauge({ name: 'orderly_build_info', help, labelNames: ['version'] }, registry).set({ version }, 1);
  return registry;
}

/** The version in the nearest package.json above a file, because programs differ in the depth of their build folders. */
function versionAbove(path: string): string | undefined {
  const folder = dirname(path);
  try {
    const { version }: { version?: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (version) return version;
  } catch {
    // There is none in this folder.
  }
  return folder === path ? undefined : versionAbove(folder);
}
