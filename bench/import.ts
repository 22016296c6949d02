import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './support/benchmark.js';
import { aProduct } from './support/catalogue.js';
import type { Database } from './support/database.js';
import type { Process } from './support/process.js';
import { ORDERLY } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { rounded } from './support/statistics.js';

/** Split over as many requests as there are rounds. A complete run of all benchmarks imports a fifth of it. */
const PRODUCTS = 1_000_000;
const WARM_UP_PRODUCTS = 10_000;
const TARGET = { atLeast: 0.25 };
/** Peak memory during the last request, divided by the peak during the first measured one. */
const STEADY = { atMost: 1.2 };
const SAMPLE_EVERY_MS = 250;

/**
 * Tables with rows of a product, in the sequence of their references. Triggers compute levels from movements, so only
 * two columns of stock are copied.
 */
const TABLES = [
  { table: 'inventory.product', columns: '', sku: 'sku' },
  { table: 'inventory.stock', columns: 'sku, reorder_level', sku: 'sku' },
  { table: 'inventory.movement', columns: '', sku: 'sku' },
  { table: 'orders.price', columns: '', sku: 'sku' },
  { table: 'backbone.event', columns: '', sku: `data ->> 'sku'` },
] as const;

interface Part {
  readonly prefix: string;
  readonly size: number;
}

/**
 * Products per second through the import, with events and all checks, divided by COPY of the same rows into the same
 * tables.
 */
export async function importProducts({ testBed, rounds: count, isWhole }: Bench): Promise<Row[]> {
  const catalogue = isWhole ? PRODUCTS / 5 : PRODUCTS;
  const shop = await Shop.open(testBed, ORDERLY);
  const copies = await Shop.prepare(testBed);
  const files = join(testBed.postgres.dataFolder, 'bench');
  const peaks: number[] = [];
  let nr = -1;
  let part: Part = { prefix: '', size: 0 };
  const { ours, theirs } = await rounds(count, {
    ours: async () => {
      nr += 1;
      part = { prefix: `PART-${nr}-`, size: nr === 0 ? WARM_UP_PRODUCTS : Math.round(catalogue / count) };
      const { seconds, peak } = await importPart(part, shop);
      if (nr > 0) peaks.push(peak);
      return part.size / seconds;
    },
    theirs: async () => part.size / (await copyPart(part, { from: shop.database, to: copies, files })),
  });
  await assertSameRows(shop.database, copies);
  await shop.close();
  await copies.drop();
  const description = 'POST /v1/products/import; COPY of its rows, with the same indexes, checks and triggers';
  const products = catalogue.toLocaleString('en');
  return [
    compare({ name: `import, ${products} products`, description, unit: 'products/s', ours, theirs, target: TARGET }),
    compare({
      name: 'import, memory',
      description: 'peak memory during the last request; during the first',
      unit: 'MB',
      ours: peaks.slice(-1),
      theirs: peaks.slice(0, 1),
      target: STEADY,
      details: { mostMb: rounded(Math.max(...peaks)) },
    }),
  ];
}

async function importPart({ prefix, size }: Part, shop: Shop): Promise<{ seconds: number; peak: number }> {
  const products = Array.from({ length: size }, (_, nr) => aProduct(`${prefix}${nr}`, 100));
  const body = shop.ndjsonOf(products);
  const start = performance.now();
  const importing = shop.import(body, size);
  const [peak] = await Promise.all([peakDuring(importing, shop.process), importing]);
  return { seconds: (performance.now() - start) / 1_000, peak };
}

/** Peak memory in megabytes. */
async function peakDuring(work: Promise<unknown>, process: Process): Promise<number> {
  let isOver = false;
  const ending = work.finally(() => {
    isOver = true;
  });
  let peak = 0;
  while (!isOver) {
    peak = Math.max(peak, await process.memory());
    await Promise.race([ending, pause(SAMPLE_EVERY_MS)]);
  }
  return peak;
}

interface Copying {
  readonly from: Database;
  readonly to: Database;
  readonly files: string;
}

/** Returns the seconds that COPY takes, without the time for writing the files. */
async function copyPart({ prefix }: Part, { from, to, files }: Copying): Promise<number> {
  for (const { table, columns, sku } of TABLES) {
    const rows = `SELECT ${columns || '*'} FROM ${table} WHERE ${sku} LIKE '${prefix}%'`;
    await from.sql(`COPY (${rows}) TO '${files}-${table}'`);
  }
  const start = performance.now();
  for (const { table, columns } of TABLES)
    await to.sql(`COPY ${table} ${columns && `(${columns})`} FROM '${files}-${table}'`);
  return (performance.now() - start) / 1_000;
}

/** Compares only the imported rows, because the shop also has its initial products. */
async function assertSameRows(...databases: readonly Database[]): Promise<void> {
  for (const { table, sku } of TABLES) {
    const counted = databases.map((each) => each.number(`SELECT count(*) FROM ${table} WHERE ${sku} LIKE 'PART-%'`));
    const [ours, theirs] = await Promise.all(counted);
    if (ours !== theirs || ours === 0) throw new Error(`${table} has ${ours} rows, but its copy has ${theirs}`);
  }
}
