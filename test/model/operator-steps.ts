import * as fc from 'fast-check';
import { deliveryId } from '../../src/backbone/delivery.js';
import { hasDeliveries, namesIn } from './delivery-steps.js';
import type { Model } from './model.js';
import type { ModelDelivery } from './model-deliveries.js';
import type { ModelShop } from './shop.js';
import { expectAnswer, number, pick, type Step, step } from './step.js';

const subscriber = fc.constantFrom(
  'notifications.emailConfirmation',
  'notifications.emailCancellation',
  'sales.countSale',
  'sales.takeBackSale',
);

const reason = 'Model test';

const skip = number.map((number) =>
  step(
    'skip a delivery',
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, namesIn(model), number));
      const answer = await shop.post(`operations/deliveries/${idOf(shop, delivery)}/skip`, { reason });
      expectAnswer(answer, { status: model.deliveries.skip(delivery) });
    },
    hasDeliveries,
  ),
);

const release = number.map((number) =>
  step(
    'release the partition of a delivery',
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, namesIn(model), number));
      const { subscriber, subject } = shop.delivery(delivery.name);
      const answer = await shop.post('operations/lines/release', { subscriber, subject, reason });
      expectAnswer(answer, { status: model.deliveries.release(delivery) });
    },
    hasDeliveries,
  ),
);

const replayOne = fc.tuple(number, fc.boolean()).map(([number, preview]) =>
  step(
    `replay a delivery${preview ? ' (preview)' : ''}`,
    async (model, shop) => {
      const delivery = model.deliveries.named(pick(model, namesIn(model), number));
      await replay(shop, model, { ids: [idOf(shop, delivery)], preview }, [delivery]);
    },
    hasDeliveries,
  ),
);

const replayDead = fc.constant(
  step(
    'replay all dead deliveries',
    async (model, shop) => replay(shop, model, { filter: { state: 'dead' }, preview: false }, deadIn(model)),
    (model) => deadIn(model).length > 0,
  ),
);

const replayHistory = subscriber.map((name) =>
  step(
    `replay the history of ${name}`,
    async (model, shop) => {
      const received = model.deliveries.all.filter((each) => each.subscriber === name);
      await replay(shop, model, { preview: false }, received, `operations/subscriptions/${name}/replay`);
    },
    hasDeliveries,
  ),
);

const pause = subscriber.map((name) =>
  step(`pause ${name}`, async (model, shop) => {
    expectAnswer(await shop.post(`operations/subscriptions/${name}/pause`, { reason }), { status: 200 });
    model.deliveries.paused.add(name);
  }),
);

const resume = fc.constant(
  step('resume all paused subscribers', resumeAll, ({ deliveries }) => deliveries.paused.size > 0),
);

/** Steps of operators. */
export const operatorSteps: readonly fc.Arbitrary<Step>[] = [
  skip,
  release,
  replayOne,
  replayDead,
  replayHistory,
  pause,
  resume,
];

export async function resumeAll(model: Model, shop: ModelShop): Promise<void> {
  for (const name of model.deliveries.paused)
    expectAnswer(await shop.post(`operations/subscriptions/${name}/resume`, { reason }), { status: 200 });
  model.deliveries.paused.clear();
}

/** Replays all deliveries. */
export async function replayAll(model: Model, shop: ModelShop): Promise<void> {
  await replay(shop, model, { filter: {}, preview: false }, model.deliveries.all);
}

async function replay(
  shop: ModelShop,
  model: Model,
  options: { readonly preview: boolean; readonly [field: string]: unknown },
  deliveries: readonly ModelDelivery[],
  path = 'operations/deliveries/replay',
): Promise<void> {
  const due = model.deliveries.replayable(deliveries);
  const answer = await shop.post(path, { ...options, reason });
  expectAnswer(answer, { status: 200, body: { considered: deliveries.length, run: due.length } });
  if (!options.preview) model.deliveries.replay(due);
}

function deadIn({ deliveries }: Readonly<Model>): ModelDelivery[] {
  return deliveries.all.filter(({ state }) => state === 'dead');
}

function idOf(shop: ModelShop, { name }: ModelDelivery): string {
  return deliveryId(shop.delivery(name));
}
