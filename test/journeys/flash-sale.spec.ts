import { setTimeout as pause } from 'node:timers/promises';
import { violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';
import { anOrder, aProduct, stock } from '../support/words.js';

const UNITS = 100;
const BUYERS = 300;

test.each(QUEUES)(
  `of ${BUYERS} concurrent orders for the last ${UNITS} units, ${UNITS} are confirmed and all customers get an e-mail, with queues on %s`,
  (queue) =>
    journey(async (stage) => {
      const shop = await stage.shop({ DATABASE_POOL_SIZE: '20' });
      await stock(shop, aProduct('TICKET', UNITS));
      const order = (buyer: number) => anOrder([{ sku: 'TICKET', quantity: 1 }], `buyer-${buyer}@example.com`);

      // On a slow machine some requests get 503 with Retry-After, and are repeated.
      const buy = async (buyer: number) => {
        const answer = await shop.post('/v1/orders', order(buyer));
        if (answer.status !== 503) return answer;
        await pause(Number(answer.headers.get('retry-after')) * 1_000);
        return buy(buyer);
      };

      const answers = await Promise.all(Array.from({ length: BUYERS }, (_, buyer) => buy(buyer)));
      await stage.quiet();

      expect(countBy(answers.map(({ status }) => status))).toEqual({ 201: BUYERS });
      expect(countBy(answers.map(({ body }) => body.status))).toEqual({ confirmed: UNITS, rejected: BUYERS - UNITS });
      expect((await shop.get('/v1/stock/TICKET')).body).toMatchObject({ onHand: UNITS, reserved: UNITS, available: 0 });
      const sent = await stage.sql<{ template: string }>('SELECT template FROM notifications.message');
      expect(countBy(sent.map(({ template }) => template))).toEqual({
        'order-confirmed': UNITS,
        'order-rejected': BUYERS - UNITS,
        'stock-ran-low': 1,
      });
      expect(await violationsOf(shop, stage)).toEqual({});
    }, queue),
);

function countBy(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
