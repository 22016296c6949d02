import * as fc from 'fast-check';
import { deliveryId } from '../../src/backbone/delivery.js';
import { anOrder } from '../support/words.js';
import { parametersFor } from './run-parameters.js';
import { inAnyOrder, type Play } from './schedules.js';
import { type Answer, ModelShop, OPENING } from './shop.js';

const PARAMETERS = parametersFor(6, 3_000);

const reason = 'The operator says so';
const shipment = { carrier: 'Speedy Express', trackingNumber: 'SE-1' };

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

describe('orders', () => {
  test('of two for the last ones, one gets them', () =>
    expectAlways(async (conductor) => {
      const all = [{ sku: 'JAM', quantity: OPENING.JAM ?? 0 }];

      const answers = await conductor.play({ Ann: () => place(all), Bob: () => place(all), Cleo: () => place(all) });

      expect(answers.filter(({ body }) => body.status === 'confirmed')).toHaveLength(1);
    }));

  test('of the same products, in whatever order, both get theirs', () =>
    expectAlways(async (conductor) => {
      const lines = ['TEA', 'JAM', 'RYE'].map((sku) => ({ sku, quantity: 1 }));

      const answers = await conductor.play({ Ann: () => place(lines), Bob: () => place([...lines].reverse()) });

      expect(answers.map(({ body }) => body.status)).toEqual(['confirmed', 'confirmed']);
    }));

  test('one is cancelled or shipped, never both', () =>
    expectAlways(async (conductor) => {
      const { body } = await place();

      const answers = await conductor.play({
        customer: () => shop.ask(`orders/${body.id}/cancellation`, { reason }),
        warehouse: () => shop.ask(`orders/${body.id}/shipment`, shipment),
      });

      expect(statuses(answers)).toEqual([200, 409]);
    }));

  test('one that is asked for twice under one key is there once', () =>
    expectAlways(async (conductor) => {
      const answers = await conductor.play({ first: () => place(TEA, 'key'), again: () => place(TEA, 'key') });

      expect([
        [201, 201],
        [201, 409],
      ]).toContainEqual(statuses(answers));
      const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
      expect(new Set(ids).size).toBe(1);
      expect(await place(TEA, 'key')).toMatchObject({ status: 201, body: { id: ids[0] } });
    }));

  test('a key is given to one of two requests', () =>
    expectAlways(async (conductor) => {
      const jam = [{ sku: 'JAM', quantity: 1 }];

      const answers = await conductor.play({ tea: () => place(TEA, 'key'), jam: () => place(jam, 'key') });

      expect([
        [201, 409],
        [201, 422],
      ]).toContainEqual(statuses(answers));
    }));

  test('goods come in, go out and are counted at the same time', () =>
    expectAlways(async (conductor) => {
      const some = [{ sku: 'RYE', quantity: OPENING.RYE ?? 0 }];

      const answers = await conductor.play({
        customer: () => place(some),
        lorry: () => shop.ask('stock/RYE/receipts', { quantity: 1, reference: 'PO-1' }),
        count: () => shop.ask('stock/RYE/adjustments', { change: -1, reason: 'counted' }),
        office: () => shop.ask('products/RYE/discontinuation', {}),
      });

      const [placed, received, counted, gone] = answers.map(({ status }) => status);
      expect([received, gone]).toEqual([201, 200]);
      expect([201, 422]).toContain(placed);
      expect([201, 409]).toContain(counted);
    }));
});

describe('a delivery', () => {
  test.each(['sales.countSale', 'notifications.emailConfirmation'])(
    'of %s that runs three times is done once',
    (name) =>
      expectAlways(async (conductor) => {
        const ref = await delivery(name);

        await conductor.play({ one: () => shop.work(ref), two: () => shop.work(ref), three: () => shop.work(ref) });

        expect(await told(name)).toBe('done, 1 attempts, 1 claims');
      }),
  );

  test.each(['sales.countSale', 'notifications.emailConfirmation'])('of %s is run, skipped or replayed', (name) =>
    expectAlways(async (conductor) => {
      const ref = await delivery(name);
      const id = deliveryId(ref);

      const answers = await conductor.play<Answer | void>({
        worker: () => shop.work(ref),
        skips: () => shop.ask(`operations/deliveries/${id}/skip`, { reason }),
        replays: () => shop.ask('operations/deliveries/replay', { ids: [id], preview: false, reason }),
        'replays the history': () => shop.ask(`operations/subscriptions/${name}/replay`, { preview: false, reason }),
      });

      expect(answers.flatMap((answer) => answer?.status ?? [])).toEqual([expect.any(Number), 200, 200]);
    }),
  );

  test.each(['sales.countSale', 'notifications.emailConfirmation'])(
    'of %s is run by who has lost it and by who has it',
    (name) =>
      expectAlways(async (conductor) => {
        const ref = await delivery(name);
        const next = { ...ref, claims: ref.claims + 1 };

        await conductor.play({
          slow: () => shop.work(ref),
          time: () => shop.leasesEndInTurn(),
          quick: () => shop.work(next),
          'time again': () => shop.leasesEndInTurn(),
          relay: () => shop.relay(),
        });
      }),
  );

  test('does not overtake the one before it', () =>
    expectAlways(async (conductor) => {
      const first = await delivery('sales.countSale');
      await shop.ask(`orders/${await shop.idOf('order')}/cancellation`, { reason });
      await shop.look();
      const second = shop.delivery('takeBackSale order 1');

      await conductor.play({
        first: () => shop.work(first),
        second: () => shop.work(second),
        again: () => shop.work(second),
      });
    }));

  test('is found by relays that look at the same time', () =>
    expectAlways(async (conductor) => {
      await delivery('sales.countSale');
      shop.queue.clear();
      await shop.timePasses();

      await conductor.play<Answer | void>({
        one: () => shop.relay(),
        two: () => shop.relay(),
        customer: () => place(),
      });

      await shop.look();
      expect(shop.jobs.sort()).toContain('countSale order 1, 0 claims');
    }));

  test('is owed once, also while the history of its subscriber is replayed', () =>
    expectAlways(async (conductor) => {
      const path = 'operations/subscriptions/sales.countSale/replay';

      await conductor.play<Answer>({
        customer: () => place(),
        operator: () => shop.ask(path, { preview: false, reason }),
        colleague: () => shop.ask(path, { preview: false, reason }),
      });
    }));
});

const TEA = [{ sku: 'TEA', quantity: 1 }];

async function place(lines: readonly { sku: string; quantity: number }[] = TEA, key?: string): Promise<Answer> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return shop.ask('orders', { ...anOrder(lines), reference: 'order' }, headers);
}

/** What an order owes this subscriber. */
async function delivery(subscriber: string) {
  await place();
  await shop.look();
  return shop.delivery(`${subscriber.replace(/.*[.]/, '')} order 1`);
}

async function told(subscriber: string): Promise<string | undefined> {
  return (await shop.look()).deliveries[`${subscriber.replace(/.*[.]/, '')} order 1`];
}

function statuses(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}

async function expectAlways(play: Play): Promise<void> {
  await fc.assert(inAnyOrder(shop, play), PARAMETERS);
}
