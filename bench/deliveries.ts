import type { Courier, CourierSettings, DrainResult, QueueUnderTest } from './courier/courier-settings.js';
import type { Bench } from './support/benchmark.js';
import { Child } from './support/child.js';
import type { Database } from './support/database.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { median, rounded } from './support/statistics.js';
import type { TestBed } from './support/test-bed.js';

const BACKENDS = [
  { backend: 'Redis', target: { atLeast: 0.4 }, theirBacklog: 40_000 },
  { backend: 'PostgreSQL', target: { atLeast: 0.7 }, theirBacklog: 6_000 },
] as const;
type Backend = (typeof BACKENDS)[number]['backend'];

const SECONDS = 1.5;
/** More deliveries than we can run in `SECONDS`, on either backend. `theirBacklog` is more than bare BullMQ can run. */
const BACKLOG = 15_000;

/** Deliveries per second (job, claim, side effect, end), divided by jobs per second of bare BullMQ. */
export async function deliveries({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { backend, target, theirBacklog } of BACKENDS) {
    const { courier, bare, close } = await couriers(testBed, backend);
    const { ours, theirs } = await rounds(count, {
      ours: drainFromBacklog(courier, BACKLOG),
      theirs: drainFromBacklog(bare, theirBacklog),
    });
    rows.push(
      compare({
        name: `deliveries, on ${backend}`,
        description:
          'a side effect that returns at once, from a backlog; bare BullMQ with an empty worker, one job each',
        unit: 'per second',
        ours: ours.map(({ perSecond }) => perSecond),
        theirs: theirs.map(({ perSecond }) => perSecond),
        target,
        details: { processorMs: processorMsEach(ours), theirProcessorMs: processorMsEach(theirs) },
      }),
    );
    await close();
  }
  return [...rows, await lostJobs(testBed, count)];
}

/** When all jobs are lost, the relay enqueues every delivery again. */
async function lostJobs(testBed: TestBed, count: number): Promise<Row> {
  const databases = [await Shop.prepare(testBed), await Shop.prepare(testBed)] as const;
  const [withoutJobs, withJobs] = [startCourier(testBed, databases[0]), startCourier(testBed, databases[1])];
  const { ours, theirs } = await rounds(count, {
    ours: drainFromBacklog(withoutJobs, BACKLOG, () => withoutJobs.call('loseJobs')),
    theirs: drainFromBacklog(withJobs, BACKLOG),
  });
  for (const courier of [withoutJobs, withJobs]) await courier.stop();
  for (const database of databases) await database.drop();
  await testBed.redis.flush();
  return compare({
    name: 'deliveries, jobs lost, on Redis',
    description: 'the same after the queue has lost all jobs; without a loss',
    unit: 'per second',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
  });
}

/** Starts the backbone in its own process, with its jobs on Redis. */
export function startCourier(testBed: TestBed, { url, name }: Database): Child<Courier> {
  const settings: CourierSettings = { databaseUrl: url, redisUrl: testBed.redis.url, prefix: `${name}-courier` };
  return Child.start<Courier>(testBed, 'courier/courier.js', settings);
}

/** Both sides of a comparison on one backend, each in its own process. */
export async function couriers(testBed: TestBed, backend: Backend) {
  const database = await Shop.prepare(testBed);
  const redisUrl = backend === 'Redis' ? testBed.redis.url : null;
  const settings: CourierSettings = { databaseUrl: database.url, redisUrl, prefix: database.name };
  const courier = Child.start<Courier>(testBed, 'courier/courier.js', settings);
  const bare = Child.start<QueueUnderTest>(testBed, 'courier/bare.js', {
    ...settings,
    prefix: `${database.name}-bare`,
  });
  const close = async () => {
    await courier.stop();
    await bare.stop();
    await database.drop();
    await testBed.redis.flush();
  };
  return { courier, bare, close };
}

/** Before each measurement, refills the backlog with as many items as the previous one has completed. */
export function drainFromBacklog(
  side: Pick<Child<QueueUnderTest>, 'call'>,
  backlog: number,
  beforeDrain: () => Promise<unknown> = async () => undefined,
): () => Promise<DrainResult> {
  let missing = backlog;
  return async () => {
    await side.call('fill', missing);
    await beforeDrain();
    const result = await side.call('drain', SECONDS);
    missing = result.done;
    return result;
  };
}

/** Processor time for each delivery or job in the process that handles it, in milliseconds. */
function processorMsEach(results: readonly DrainResult[]): number {
  return rounded(median(results.map(({ msEach }) => msEach)));
}
