import { cpus } from 'node:os';
import type { Bench } from './support/benchmark.js';
import type { Ground } from './support/ground.js';
import { type LoadOutcome, latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import type { Process } from './support/process.js';
import { ORDERLY } from './support/programs.js';
import { rounds } from './support/rounds.js';
import { compare, type Details, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { type Spent, withSpending } from './support/spending.js';
import { median } from './support/statistics.js';
import { warmUp } from './support/warm-up.js';

const CLIENTS = 32;
const SECONDS = 1;

type Outcome = Spent<LoadOutcome>;

/** Orders a second with several processes over one database, and who took the processors for them. */
export async function scale({ ground, rounds: count }: Bench): Promise<Row[]> {
  const shop = await Shop.open(ground, ORDERLY);
  const processes = [shop.process, await shop.start(), await shop.start(), await shop.start()];
  for (const process of processes) await warmUp(process);
  const of = (number: number) => async () => {
    const outcome = await loadOn(processes.slice(0, number), ground);
    await shop.forgetDeliveries();
    return outcome;
  };
  const measured = await rounds(count, { 1: of(1), 2: of(2), 4: of(4) });
  await shop.close();
  return ([1, 2, 4] as const).map((number) =>
    compare({
      name: `scale, ${number} processes`,
      what: `POST /v1/orders at ${CLIENTS} clients; one process`,
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

async function loadOn(processes: readonly Process[], ground: Ground): Promise<Outcome> {
  const urls = processes.map(({ url }) => url);
  return withSpending(ground, processes, () =>
    load({ urls, clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 }),
  );
}

/** When they add up to a hundred, the machine is what stops it. */
function spentBy(outcomes: readonly Outcome[]): Details {
  const percent = (who: 'shop' | 'postgres' | 'load') =>
    Math.round(median(outcomes.map(({ spent }) => (100 * spent[who]) / spent.elapsed / cpus().length)));
  return { shopPercent: percent('shop'), postgresPercent: percent('postgres'), loadPercent: percent('load') };
}
