import type { Carrier, Courier, CourierSettings, Drained } from './courier/courier-settings.js';
import type { Bench } from './support/benchmark.js';
import { Child } from './support/child.js';
import type { Database } from './support/database.js';
import type { Ground } from './support/ground.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { median, rounded } from './support/statistics.js';

const BACKENDS = [
  { backend: 'Redis', reach: { atLeast: 0.4 }, theirBacklog: 40_000 },
  { backend: 'PostgreSQL', reach: { atLeast: 0.7 }, theirBacklog: 6_000 },
] as const;
type Backend = (typeof BACKENDS)[number]['backend'];

const SECONDS = 1.5;
/** More than we can do within the time, on either; so is what the other side gets. */
const BACKLOG = 15_000;

/** Deliveries a second through queue, worker, claim, side effect and outcome; by jobs with nothing behind them. */
export async function deliveries({ ground, rounds: count }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { backend, reach, theirBacklog } of BACKENDS) {
    const { courier, bare, close } = await couriers(ground, backend);
    const { ours, theirs } = await rounds(count, {
      ours: keptFull(courier, BACKLOG),
      theirs: keptFull(bare, theirBacklog),
    });
    rows.push(
      compare({
        name: `deliveries, on ${backend}`,
        what: 'a side effect that returns at once, from a backlog; bare BullMQ with an empty worker, a job each',
        unit: 'a second',
        ours: ours.map(({ perSecond }) => perSecond),
        theirs: theirs.map(({ perSecond }) => perSecond),
        reach,
        details: { processorMs: eachTakes(ours), theirProcessorMs: eachTakes(theirs) },
      }),
    );
    await close();
  }
  return [...rows, await lost(ground, count)];
}

/** Where the jobs have been lost, all of it comes by the relay. */
async function lost(ground: Ground, count: number): Promise<Row> {
  const databases = [await Shop.prepare(ground), await Shop.prepare(ground)] as const;
  const [robbed, other] = [startCourier(ground, databases[0]), startCourier(ground, databases[1])];
  const { ours, theirs } = await rounds(count, {
    ours: keptFull(robbed, BACKLOG, () => robbed.ask('lose')),
    theirs: keptFull(other, BACKLOG),
  });
  for (const courier of [robbed, other]) await courier.stop();
  for (const database of databases) await database.drop();
  await ground.redis.flush();
  return compare({
    name: 'deliveries, jobs lost, on Redis',
    what: 'the same when the queue has lost all of its jobs; when it has not',
    unit: 'a second',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
  });
}

/** The backbone in a process of its own, with its jobs on Redis. */
export function startCourier(ground: Ground, { url, name }: Database): Child<Courier> {
  const settings: CourierSettings = { databaseUrl: url, redisUrl: ground.redis.url, prefix: `${name}-courier` };
  return Child.start<Courier>(ground, 'courier/courier.js', settings);
}

/** Both sides of a comparison, on one backend, each in a process of its own. */
export async function couriers(ground: Ground, backend: Backend) {
  const database = await Shop.prepare(ground);
  const redisUrl = backend === 'Redis' ? ground.redis.url : null;
  const settings: CourierSettings = { databaseUrl: database.url, redisUrl, prefix: database.name };
  const courier = Child.start<Courier>(ground, 'courier/courier.js', settings);
  const bare = Child.start<Carrier>(ground, 'courier/bare.js', { ...settings, prefix: `${database.name}-bare` });
  const close = async () => {
    await courier.stop();
    await bare.stop();
    await database.drop();
    await ground.redis.flush();
  };
  return { courier, bare, close };
}

/** Puts back before each measurement what the one before it has taken away. */
export function keptFull(
  side: Pick<Child<Carrier>, 'ask'>,
  backlog: number,
  spoil: () => Promise<unknown> = async () => undefined,
): () => Promise<Drained> {
  let missing = backlog;
  return async () => {
    await side.ask('fill', missing);
    await spoil();
    const drained = await side.ask('drain', SECONDS);
    missing = drained.done;
    return drained;
  };
}

/** Milliseconds of the processor, in the process that handles them. */
function eachTakes(drained: readonly Drained[]): number {
  return rounded(median(drained.map(({ msEach }) => msEach)));
}
