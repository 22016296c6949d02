import { violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const ORDERS = 30;
const COUNTER = { MODULES: 'orders' };
const WAREHOUSE = { MODULES: 'inventory,notifications' };

test.concurrent.each(QUEUES)(
  'a shop in two processes confirms every order and sends every e-mail, although one process dies, and can become one process again, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const counter = await stage.shop(COUNTER);
      const warehouse = await stage.shop(WAREHOUSE);
      await stock(warehouse, aProduct('TEA', 100_000));
      await stage.quiet();
      const confirmed = () => stage.sql(`SELECT FROM orders."order" WHERE status = 'confirmed'`);

      const first = await place(counter);
      expect(first).toMatchObject({ status: 'placed' });
      await until('the order is confirmed', async () => (await confirmed()).length === 1);
      await stage.quiet();
      const { body: mails } = await warehouse.get(`/v1/notifications?subject=${first.id}`);
      expect(mails.items).toMatchObject([{ template: 'order-confirmed', state: 'sent' }]);

      const rush = (async () => {
        for (let order = 0; order < ORDERS; order += 1) await place(counter);
      })();
      await until('the warehouse is busy', async () => (await confirmed()).length > 5);
      await warehouse.kill('SIGKILL');
      await rush;
      expect((await confirmed()).length).toBeLessThan(ORDERS);
      await stage.endLeases();
      const next = await stage.shop(WAREHOUSE);
      await stage.quiet();

      expect(await confirmed()).toHaveLength(ORDERS + 1);

      await next.kill('SIGTERM');
      for (let order = 0; order < 3; order += 1) await place(counter);
      await counter.kill('SIGTERM');
      const whole = await stage.shop();
      await stage.quiet();

      expect(await confirmed()).toHaveLength(ORDERS + 4);
      expect(await violationsOf(whole, stage)).toEqual({});
    }, queue),
);
