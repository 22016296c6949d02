import { cpus } from 'node:os';
import type { Bench } from './support/benchmark.js';
import { type LoadOutcome, latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import type { Process } from './support/process.js';
import { ORDERLY } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Details, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { type Spent, withSpending } from './support/spending.js';
import { median } from './support/statistics.js';
import type { TestBed } from './support/test-bed.js';
import { warmUp } from './support/warm-up.js';

const CLIENTS = 32;
const SECONDS = 1;

type Outcome = Spent<LoadOutcome>;

/** Orders per second with several processes over one database, and the processor time of each part. */
export async function scale({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const shop = await Shop.open(testBed, ORDERLY);
  const processes = [shop.process, await shop.start(), await shop.start(), await shop.start()];
  for (const process of processes) await warmUp(process);
  const measure = (number: number) => async () => {
    const outcome = await loadOn(processes.slice(0, number), testBed);
    await shop.deletePendingWork();
    return outcome;
  };
  const measured = await rounds(count, { 1: measure(1), 2: measure(2), 4: measure(4) });
  await shop.close();
  return ([1, 2, 4] as const).map((number) =>
    compare({
      name: `scale, ${number} ${number === 1 ? 'process' : 'processes'}`,
      description: `POST /v1/orders with ${CLIENTS} clients; one process`,
      unit: 'orders/s',
      ours: ratesOf(measured[number]),
      theirs: ratesOf(measured[1]),
      details: { ...latenciesOf(measured[number]), ...spentBy(measured[number]) },
    }),
  );
}

function ratesOf(outcomes: readonly Outcome[]): number[] {
  return outcomes.map(({ perSecond }) => perSecond);
}

async function loadOn(processes: readonly Process[], testBed: TestBed): Promise<Outcome> {
  const urls = processes.map(({ url }) => url);
  return withSpending(testBed, processes, () =>
    load({ urls, clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 }),
  );
}

/** Percent of all processors. A sum of about 100 means that the machine is the bottleneck. */
function spentBy(outcomes: readonly Outcome[]): Details {
  const percent = (part: 'shop' | 'postgres' | 'load') =>
    Math.round(median(outcomes.map(({ spent }) => (100 * spent[part]) / spent.elapsed / cpus().length)));
  return { shopPercent: percent('shop'), postgresPercent: percent('postgres'), loadPercent: percent('load') };
}
