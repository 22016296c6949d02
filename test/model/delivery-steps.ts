import * as fc from 'fast-check';
import type { DeliveryRef } from '../../src/backbone/delivery.js';
import type { Death } from './lives.js';
import type { Fortune } from './luck.js';
import type { Model } from './model.js';
import type { ModelShop } from './shop.js';
import { number, pick, type Step, same, step } from './step.js';

type Fate =
  | Exclude<Fortune, 'stalls'>
  | Extract<Death, 'after-claim' | 'mail-is-out' | 'after-handler' | 'after-finish'>;

const DEATHS: readonly Fate[] = ['after-claim', 'mail-is-out', 'after-handler', 'after-finish'];

const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('well') },
  { weight: 2, arbitrary: fc.constantFrom<Fate>('fails', 'is hopeless') },
  { weight: 2, arbitrary: fc.constantFrom(...DEATHS) },
);

export const hasDeliveries = ({ deliveries }: Readonly<Model>): boolean => deliveries.all.length > 0;

/** As BullMQ hands out jobs at its worst: any of them, also one that was overtaken by events. */
const runJob = fc.tuple(number, fate).map(([number, fate]) =>
  step(
    `run a job${but(fate)}`,
    async (model, shop) => {
      if (shop.queue.size === 0) return;
      await run(model, shop, shop.take(pick(model, shop.jobs, number)), fate);
    },
    hasDeliveries,
  ),
);

/** Whatever it waits for, and also when it is done. */
const runOutOfOrder = fc
  .tuple(number, fate)
  .map(([number, fate]) =>
    step(
      `run a delivery${but(fate)}`,
      async (model, shop) => run(model, shop, shop.delivery(pick(model, namesIn(model), number)), fate),
      hasDeliveries,
    ),
  );

const runTwice = number.map((number) =>
  step(
    'run a delivery twice at once',
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, namesIn(model), number));
      const ref = shop.delivery(delivery.name);
      if (model.deliveries.mayRun(delivery)) model.deliveries.run(delivery, 'well');
      await Promise.all([shop.run(ref), shop.run(ref)]);
    },
    hasDeliveries,
  ),
);

/** A process stalls with a delivery for longer than its lease, and wakes up when another one has had its turn. */
const stall = fc.tuple(number, fc.constantFrom<Fortune>('well', 'fails', 'is hopeless')).map(([number, fortune]) =>
  step(
    `stall with a delivery until another run of it ends (${fortune})`,
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, stallable(model), number));
      const ref = shop.delivery(delivery.name);
      model.deliveries.leasesEnd();
      model.deliveries.runStalled(delivery, fortune);
      shop.luck.plan('stalls', fortune);
      const stalled = shop.run(ref);
      const outcome = await Promise.race([shop.luck.hasStalled.then(() => 'stalls'), stalled.then(() => 'has ended')]);
      same(outcome, 'stalls');
      await shop.leasesEnd();
      await shop.run({ ...ref, claims: ref.claims + 1 }).finally(() => shop.luck.wake());
      await stalled;
      shop.luck.plan();
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

const endLeases = fc.constant(
  step(
    'leases end',
    async (model, shop) => {
      model.deliveries.leasesEnd();
      await shop.leasesEnd();
    },
    ({ deliveries }) => deliveries.all.some(({ isLeased }) => isLeased),
  ),
);

const relay = fc.constant(step('the relay looks', relayLooks, hasDeliveries));

/** What happens to deliveries. */
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
  endLeases,
  relay,
];

/** Whatever was lost is in the queue again. */
export async function relayLooks(model: Model, shop: ModelShop): Promise<void> {
  await shop.timePasses();
  await shop.relay();
  const { all, paused } = model.deliveries;
  const due = all.filter(
    ({ state, isLeased, subscriber }) => state === 'pending' && !isLeased && !paused.has(subscriber),
  );
  const jobs = due.map(({ name, claims }) => `${name}, ${claims} claims`);
  same(
    jobs.filter((job) => !shop.jobs.includes(job)),
    [],
  );
}

/** Runs every job that is in the queue now. */
export async function runAllJobs(model: Model, shop: ModelShop): Promise<void> {
  for (const job of shop.jobs) await run(model, shop, shop.take(job), 'well');
}

async function run(model: Model, shop: ModelShop, ref: DeliveryRef, fate: Fate): Promise<void> {
  const death = DEATHS.includes(fate) ? (fate as Death) : undefined;
  const fortune = death ? 'well' : (fate as Fortune);
  const delivery = model.deliveries.named(shop.nameOf(ref));
  if (model.deliveries.mayRun(delivery, ref.claims)) model.deliveries.run(delivery, fortune, death);
  shop.luck.plan(fortune);
  await shop.run(ref, death);
  shop.luck.plan();
}

export function namesIn({ deliveries }: Readonly<Model>): string[] {
  return deliveries.all.map(({ name }) => name);
}

function stallable({ deliveries }: Readonly<Model>): string[] {
  return deliveries.all.filter((each) => deliveries.mayStall(each)).map(({ name }) => name);
}

function but(fate: Fate): string {
  return fate === 'well' ? '' : ` (${fate})`;
}
