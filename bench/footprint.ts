import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './support/benchmark.js';
import type { Ground } from './support/ground.js';
import { load } from './support/load.js';
import { placing } from './support/placing.js';
import { ORDERLY, type Program, TUTORIAL } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { median, rounded } from './support/statistics.js';

const START = { atMost: 1.5 };
const MEMORY = { atMost: 1.3 };
/** What the last third of a load may hold more than the second; the first one warms up. */
const STEADY = { atMost: 1.1 };
const CLIENTS = 16;
const SECONDS = 2;
/** After that a program that has nothing to do has come to rest. */
const REST_MS = 500;
const SAMPLES_A_MINUTE = 60;

interface Footprint {
  readonly coldMs: number;
  readonly warmMs: number;
  readonly idleMb: number;
}

const WHATS = {
  coldMs: { name: 'start on an empty database', unit: 'ms', reach: START },
  warmMs: { name: 'start', unit: 'ms', reach: START },
  idleMb: { name: 'memory at rest', unit: 'MB', reach: MEMORY },
} as const;

/** How soon a program serves and how much memory it holds, by the same of the tutorial pattern. */
export async function footprint({ ground, rounds: count, minutes }: Bench): Promise<Row[]> {
  const starts = await rounds(count, {
    ours: () => footprintOf(ORDERLY, ground),
    theirs: () => footprintOf(TUTORIAL, ground),
  });
  const rows = Object.entries(WHATS).map(([key, { name, ...how }]) =>
    compare({
      name: `footprint, ${name}`,
      what: 'until it is ready, or resident memory; the tutorial pattern',
      ...how,
      ours: starts.ours.map((each) => each[key as keyof Footprint]),
      theirs: starts.theirs.map((each) => each[key as keyof Footprint]),
    }),
  );
  const shops = { ours: await Shop.open(ground, ORDERLY), theirs: await Shop.open(ground, TUTORIAL) };
  const loaded = await rounds(count, {
    ours: () => memoryUnderLoad(shops.ours),
    theirs: () => memoryUnderLoad(shops.theirs),
  });
  const what = `resident memory at ${CLIENTS} clients; the tutorial pattern`;
  rows.push(compare({ name: 'footprint, memory at load', what, unit: 'MB', ...loaded, reach: MEMORY }));
  await shops.theirs.close();
  rows.push(await overTime(shops.ours, minutes));
  await shops.ours.close();
  return rows;
}

async function footprintOf(program: Program, ground: Ground): Promise<Footprint> {
  const shop = Shop.on(ground, program, await ground.database());
  const { startMs: coldMs } = await shop.start({ WORKERS: 'on' });
  await shop.stop();
  const process = await shop.start({ WORKERS: 'on' });
  await pause(REST_MS);
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

/** Whether memory grows for as long as there is something to do. */
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
    what: 'the last third of a load; its second third',
    unit: 'MB',
    ours: [median(samples.slice(-third))],
    theirs: [median(samples.slice(third, 2 * third))],
    reach: STEADY,
    details: { mostMb: rounded(Math.max(...samples)) },
  });
}
