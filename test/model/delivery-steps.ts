import * as fc from 'fast-check';
import type { DeliveryRef } from '../../src/backbone/delivery.js';
import type { HandlerOutcome } from './handler-outcomes.js';
import type { Model } from './model.js';
import type { ModelShop } from './shop.js';
import type { DeathPoint } from './simulated-process.js';
import { expectSame, number, pick, type Step, step } from './step.js';

type Ending =
  | Exclude<HandlerOutcome, 'stalls'>
  | Extract<DeathPoint, 'after-claim' | 'after-send' | 'after-handler' | 'after-finish'>;

const DEATHS: readonly Ending[] = ['after-claim', 'after-send', 'after-handler', 'after-finish'];

const ending = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Ending>('succeeds') },
  { weight: 2, arbitrary: fc.constantFrom<Ending>('fails', 'gives up') },
  { weight: 2, arbitrary: fc.constantFrom(...DEATHS) },
);

export const hasDeliveries = ({ deliveries }: Readonly<Model>): boolean => deliveries.all.length > 0;

/** Runs any job of the queue, also an outdated one, because BullMQ guarantees no sequence. */
const runJob = fc.tuple(number, ending).map(([number, ending]) =>
  step(
    `run a job${suffixOf(ending)}`,
    async (model, shop) => {
      if (shop.queue.size === 0) return;
      await run(model, shop, shop.take(pick(model, shop.jobs, number)), ending);
    },
    hasDeliveries,
  ),
);

/** Runs any delivery, also one that is blocked, paused or done. */
const runOutOfOrder = fc
  .tuple(number, ending)
  .map(([number, ending]) =>
    step(
      `run a delivery${suffixOf(ending)}`,
      async (model, shop) => run(model, shop, shop.delivery(pick(model, namesIn(model), number)), ending),
      hasDeliveries,
    ),
  );

const runTwice = number.map((number) =>
  step(
    'run a delivery twice at the same time',
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, namesIn(model), number));
      const ref = shop.delivery(delivery.name);
      if (model.deliveries.mayRun(delivery)) model.deliveries.run(delivery, 'succeeds');
      await Promise.all([shop.run(ref), shop.run(ref)]);
    },
    hasDeliveries,
  ),
);

/** A process stalls while it handles a delivery, for longer than its lease, and continues after another run of it. */
const stall = fc
  .tuple(number, fc.constantFrom<HandlerOutcome>('succeeds', 'fails', 'gives up'))
  .map(([number, outcome]) =>
    step(
      `stall in a delivery until another run of it ends (${outcome})`,
      async (model, shop) => {
        const delivery = model.deliveries.named(pick(model, stallable(model), number));
        const ref = shop.delivery(delivery.name);
        model.deliveries.expireLeases();
        model.deliveries.runStalled(delivery, outcome);
        shop.outcomes.plan('stalls', outcome);
        const stalled = shop.run(ref);
        const first = await Promise.race([
          shop.outcomes.hasStalled.then(() => 'stalls'),
          stalled.then(() => 'has ended'),
        ]);
        expectSame(first, 'stalls');
        await shop.expireLeases();
        await shop.run({ ...ref, claims: ref.claims + 1 }).finally(() => shop.outcomes.resume());
        await stalled;
        shop.outcomes.plan();
      },
      (model) => stallable(model).length > 0,
    ),
  );

const flush = fc.constant(
  step(
    'flush the queue',
    async (_, shop) => {
      shop.queue.clear();
    },
    hasDeliveries,
  ),
);

const expireLeasesStep = fc.constant(
  step(
    'leases expire',
    async (model, shop) => {
      model.deliveries.expireLeases();
      await shop.expireLeases();
    },
    ({ deliveries }) => deliveries.all.some(({ isLeased }) => isLeased),
  ),
);

const relay = fc.constant(step('run the relay', runRelay, hasDeliveries));

/** Steps that run deliveries, or disturb them. */
export const deliverySteps: readonly fc.Arbitrary<Step>[] = [
  runJob,
  runJob,
  runJob,
  runJob,
  runOutOfOrder,
  runOutOfOrder,
  runTwice,
  stall,
  flush,
  expireLeasesStep,
  relay,
];

/** Runs the relay, and checks that every due delivery has a job. */
export async function runRelay(model: Model, shop: ModelShop): Promise<void> {
  await shop.makeAllDue();
  await shop.relay();
  const { all, paused } = model.deliveries;
  const due = all.filter(
    ({ state, isLeased, subscriber }) => state === 'pending' && !isLeased && !paused.has(subscriber),
  );
  const jobs = due.map(({ name, claims }) => `${name}, ${claims} claims`);
  expectSame(
    jobs.filter((job) => !shop.jobs.includes(job)),
    [],
  );
}

/** Runs every job that is in the queue. */
export async function runAllJobs(model: Model, shop: ModelShop): Promise<void> {
  for (const job of shop.jobs) await run(model, shop, shop.take(job), 'succeeds');
}

async function run(model: Model, shop: ModelShop, ref: DeliveryRef, ending: Ending): Promise<void> {
  const death = DEATHS.includes(ending) ? (ending as DeathPoint) : undefined;
  const outcome = death ? 'succeeds' : (ending as HandlerOutcome);
  const delivery = model.deliveries.named(shop.nameOf(ref));
  if (model.deliveries.mayRun(delivery, ref.claims)) model.deliveries.run(delivery, outcome, death);
  shop.outcomes.plan(outcome);
  await shop.run(ref, death);
  shop.outcomes.plan();
}

export function namesIn({ deliveries }: Readonly<Model>): string[] {
  return deliveries.all.map(({ name }) => name);
}

function stallable({ deliveries }: Readonly<Model>): string[] {
  return deliveries.all.filter((each) => deliveries.mayStall(each)).map(({ name }) => name);
}

function suffixOf(ending: Ending): string {
  return ending === 'succeeds' ? '' : ` (${ending})`;
}
