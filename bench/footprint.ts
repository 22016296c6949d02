import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './support/benchmark.js';
import { load } from './support/load.js';
import { placing } from './support/placing.js';
import { ORDERLY, type Program, TUTORIAL } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { median, rounded } from './support/statistics.js';
import type { TestBed } from './support/test-bed.js';

const START = { atMost: 1.5 };
const MEMORY = { atMost: 1.3 };
/**
 * Largest allowed ratio of the memory in the last third of a load to the second third. The first third is a warm-up.
 */
const STEADY = { atMost: 1.1 };
const CLIENTS = 16;
const SECONDS = 2;
/** Time after the start until a program without work is idle. */
const SETTLE_MS = 500;
const SAMPLES_A_MINUTE = 60;

interface Footprint {
  readonly coldMs: number;
  readonly warmMs: number;
  readonly idleMb: number;
}

const MEASURES = {
  coldMs: { name: 'start on an empty database', unit: 'ms', target: START },
  warmMs: { name: 'start', unit: 'ms', target: START },
  idleMb: { name: 'memory when idle', unit: 'MB', target: MEMORY },
} as const;

/** Start-up time and resident memory, divided by those of the tutorial pattern. */
export async function footprint({ testBed, rounds: count, minutes }: Bench): Promise<Row[]> {
  const starts = await rounds(count, {
    ours: () => footprintOf(ORDERLY, testBed),
    theirs: () => footprintOf(TUTORIAL, testBed),
  });
  const rows = Object.entries(MEASURES).map(([key, { name, ...measure }]) =>
    compare({
      name: `footprint, ${name}`,
      description: 'time until ready, or resident memory; the tutorial pattern',
      ...measure,
      ours: starts.ours.map((each) => each[key as keyof Footprint]),
      theirs: starts.theirs.map((each) => each[key as keyof Footprint]),
    }),
  );
  const shops = { ours: await Shop.open(testBed, ORDERLY), theirs: await Shop.open(testBed, TUTORIAL) };
  const loaded = await rounds(count, {
    ours: () => memoryUnderLoad(shops.ours),
    theirs: () => memoryUnderLoad(shops.theirs),
  });
  const description = `resident memory with ${CLIENTS} clients; the tutorial pattern`;
  rows.push(compare({ name: 'footprint, memory under load', description, unit: 'MB', ...loaded, target: MEMORY }));
  await shops.theirs.close();
  rows.push(await overTime(shops.ours, minutes));
  await shops.ours.close();
  return rows;
}

async function footprintOf(program: Program, testBed: TestBed): Promise<Footprint> {
  const shop = Shop.on(testBed, program, await testBed.database());
  const { startMs: coldMs } = await shop.start({ WORKERS: 'on' });
  await shop.stop();
  const process = await shop.start({ WORKERS: 'on' });
  await pause(SETTLE_MS);
  const idleMb = await process.memory();
  await shop.close();
  return { coldMs, warmMs: process.startMs, idleMb };
}

async function memoryUnderLoad({ url, process }: Shop): Promise<number> {
  const loading = load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 });
  await pause((SECONDS * 1_000) / 2);
  const memory = await process.memory();
  await loading;
  return memory;
}

/** Checks whether memory keeps growing under load. */
async function overTime({ url, process }: Shop, minutes: number): Promise<Row> {
  const loading = load({ urls: [url], clients: CLIENTS, seconds: minutes * 60, next: placing, expects: 201 });
  const samples: number[] = [];
  const count = Math.max(3, minutes * SAMPLES_A_MINUTE);
  for (let nr = 0; nr < count; nr += 1) {
    await pause((minutes * 60_000) / count);
    samples.push(await process.memory());
  }
  await loading;
  const third = Math.floor(samples.length / 3);
  return compare({
    name: `footprint, memory over ${minutes} minutes`,
    description: 'the last third of a load; its second third',
    unit: 'MB',
    ours: [median(samples.slice(-third))],
    theirs: [median(samples.slice(third, 2 * third))],
    target: STEADY,
    details: { mostMb: rounded(Math.max(...samples)) },
  });
}
