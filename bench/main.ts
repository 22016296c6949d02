import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { adapter } from './adapter.js';
import { bus } from './bus.js';
import { deliveries } from './deliveries.js';
import { flashSale } from './flash-sale.js';
import { footprint } from './footprint.js';
import { growth } from './growth.js';
import { importProducts } from './import.js';
import { latency } from './latency.js';
import { lines } from './lines.js';
import { type Options, readOptions } from './options.js';
import { orders } from './orders.js';
import { ordersVsTutorial } from './orders-vs-tutorial.js';
import { scale } from './scale.js';
import type { Benchmark } from './support/benchmark.js';
import { machineOf, sentenceOf } from './support/machine.js';
import type { Row } from './support/row.js';
import { tableOf } from './support/table.js';
import { TestBed } from './support/test-bed.js';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  orders,
  'orders-vs-tutorial': ordersVsTutorial,
  lines,
  'flash-sale': flashSale,
  deliveries,
  latency,
  growth,
  import: importProducts,
  footprint,
  bus,
  adapter,
  scale,
};

const log = (sentence: string) => void process.stderr.write(`${sentence}\n`);

try {
  const options = readOptions(Object.keys(BENCHMARKS));
  if (spawnSync('redis-server', ['--version']).status !== 0)
    throw new TypeError('The benchmarks start their own Redis: install redis-server');
  await run(options);
  process.exit();
} catch (error) {
  log(error instanceof TypeError ? error.message : String((error as Error).stack));
  process.exit(2);
}

async function run({ names, json, ...settings }: Options): Promise<void> {
  const startedAt = performance.now();
  const testBed = await TestBed.open();
  try {
    const machine = await machineOf(testBed);
    log(sentenceOf(machine));
    const rows: Row[] = [];
    for (const name of names) {
      const since = performance.now();
      rows.push(...((await BENCHMARKS[name]?.({ testBed, ...settings })) ?? []));
      log(`${name}: ${secondsSince(since)} s`);
    }
    const seconds = secondsSince(startedAt);
    process.stdout.write(`${sentenceOf(machine)}\n\n${tableOf(rows)}\n\n${seconds} s in total\n`);
    if (json) await writeFile(json, `${JSON.stringify({ machine, ...settings, seconds, rows }, null, 2)}\n`);
  } finally {
    await testBed.close();
  }
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1_000);
}
