import * as fc from 'fast-check';
import { deliveryId } from '../../src/backbone/delivery.js';
import { anOrder } from '../support/words.js';
import { parametersFor } from './run-parameters.js';
import { type Scenario, underAnySchedule } from './schedules.js';
import { type Answer, ModelShop, OPENING } from './shop.js';

const PARAMETERS = parametersFor(6, 3_000);

const reason = 'Model test';
const shipment = { carrier: 'Speedy Express', trackingNumber: 'SE-1' };

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

describe('orders', () => {
  test('several for the last units: one is confirmed', () =>
    expectAlways(async (interleaving) => {
      const all = [{ sku: 'JAM', quantity: OPENING.JAM ?? 0 }];

      const answers = await interleaving.run({ Ann: () => place(all), Bob: () => place(all), Cleo: () => place(all) });

      expect(answers.filter(({ body }) => body.status === 'confirmed')).toHaveLength(1);
    }));

  test('two with the same products in opposite sequence: both are confirmed', () =>
    expectAlways(async (interleaving) => {
      const lines = ['TEA', 'JAM', 'RYE'].map((sku) => ({ sku, quantity: 1 }));

      const answers = await interleaving.run({ Ann: () => place(lines), Bob: () => place([...lines].reverse()) });

      expect(answers.map(({ body }) => body.status)).toEqual(['confirmed', 'confirmed']);
    }));

  test('one order is cancelled or shipped, never both', () =>
    expectAlways(async (interleaving) => {
      const { body } = await place();

      const answers = await interleaving.run({
        customer: () => shop.ask(`orders/${body.id}/cancellation`, { reason }),
        warehouse: () => shop.ask(`orders/${body.id}/shipment`, shipment),
      });

      expect(statuses(answers)).toEqual([200, 409]);
    }));

  test('two requests with the same key and body: one order is placed', () =>
    expectAlways(async (interleaving) => {
      const answers = await interleaving.run({ first: () => place(TEA, 'key'), again: () => place(TEA, 'key') });

      expect([
        [201, 201],
        [201, 409],
      ]).toContainEqual(statuses(answers));
      const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
      expect(new Set(ids).size).toBe(1);
      expect(await place(TEA, 'key')).toMatchObject({ status: 201, body: { id: ids[0] } });
    }));

  test('two requests with the same key and different bodies: one is refused', () =>
    expectAlways(async (interleaving) => {
      const jam = [{ sku: 'JAM', quantity: 1 }];

      const answers = await interleaving.run({ tea: () => place(TEA, 'key'), jam: () => place(jam, 'key') });

      expect([
        [201, 409],
        [201, 422],
      ]).toContainEqual(statuses(answers));
    }));

  test('receipts, reservations and adjustments at the same time', () =>
    expectAlways(async (interleaving) => {
      const some = [{ sku: 'RYE', quantity: OPENING.RYE ?? 0 }];

      const answers = await interleaving.run({
        customer: () => place(some),
        lorry: () => shop.ask('stock/RYE/receipts', { quantity: 1, reference: 'PO-1' }),
        count: () => shop.ask('stock/RYE/adjustments', { change: -1, reason: 'counted' }),
        office: () => shop.ask('products/RYE/discontinuation', {}),
      });

      const [placed, received, counted, discontinued] = answers.map(({ status }) => status);
      expect([received, discontinued]).toEqual([201, 200]);
      expect([201, 422]).toContain(placed);
      expect([201, 409]).toContain(counted);
    }));
});

describe('a delivery', () => {
  test.each(['sales.countSale', 'notifications.emailConfirmation'])(
    'of %s that is run three times at the same time is done once',
    (name) =>
      expectAlways(async (interleaving) => {
        const ref = await delivery(name);

        await interleaving.run({ one: () => shop.work(ref), two: () => shop.work(ref), three: () => shop.work(ref) });

        expect(await stateOf(name)).toBe('done, 1 attempts, 1 claims');
      }),
  );

  test.each(['sales.countSale', 'notifications.emailConfirmation'])(
    'of %s is run, skipped and replayed at the same time',
    (name) =>
      expectAlways(async (interleaving) => {
        const ref = await delivery(name);
        const id = deliveryId(ref);

        const answers = await interleaving.run<Answer | void>({
          worker: () => shop.work(ref),
          skips: () => shop.ask(`operations/deliveries/${id}/skip`, { reason }),
          replays: () => shop.ask('operations/deliveries/replay', { ids: [id], preview: false, reason }),
          'replays the history': () => shop.ask(`operations/subscriptions/${name}/replay`, { preview: false, reason }),
        });

        expect(answers.flatMap((answer) => answer?.status ?? [])).toEqual([expect.any(Number), 200, 200]);
      }),
  );

  test.each(['sales.countSale', 'notifications.emailConfirmation'])(
    'of %s is run by a process that has lost its lease and by another one',
    (name) =>
      expectAlways(async (interleaving) => {
        const ref = await delivery(name);
        const next = { ...ref, claims: ref.claims + 1 };

        await interleaving.run({
          slow: () => shop.work(ref),
          time: () => shop.expireLeasesInTurn(),
          quick: () => shop.work(next),
          'time again': () => shop.expireLeasesInTurn(),
          relay: () => shop.relay(),
        });
      }),
  );

  test('does not overtake its predecessor', () =>
    expectAlways(async (interleaving) => {
      const first = await delivery('sales.countSale');
      await shop.ask(`orders/${await shop.idOf('order')}/cancellation`, { reason });
      await shop.readState();
      const second = shop.delivery('takeBackSale order 1');

      await interleaving.run({
        first: () => shop.work(first),
        second: () => shop.work(second),
        again: () => shop.work(second),
      });
    }));

  test('is found by relays that run at the same time', () =>
    expectAlways(async (interleaving) => {
      await delivery('sales.countSale');
      shop.queue.clear();
      await shop.makeAllDue();

      await interleaving.run<Answer | void>({
        one: () => shop.relay(),
        two: () => shop.relay(),
        customer: () => place(),
      });

      await shop.readState();
      expect(shop.jobs.sort()).toContain('countSale order 1, 0 claims');
    }));

  test('is inserted once, also while the history of its subscriber is replayed', () =>
    expectAlways(async (interleaving) => {
      const path = 'operations/subscriptions/sales.countSale/replay';

      await interleaving.run<Answer>({
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

/** The delivery of a new order to this subscriber. */
async function delivery(subscriber: string) {
  await place();
  await shop.readState();
  return shop.delivery(`${subscriber.replace(/.*[.]/, '')} order 1`);
}

async function stateOf(subscriber: string): Promise<string | undefined> {
  return (await shop.readState()).deliveries[`${subscriber.replace(/.*[.]/, '')} order 1`];
}

function statuses(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}

async function expectAlways(scenario: Scenario): Promise<void> {
  await fc.assert(underAnySchedule(shop, scenario), PARAMETERS);
}
