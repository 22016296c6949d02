import { Client } from 'pg';
import { violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const CUSTOMERS = 10;
const STOP_WITHIN_MS = 10_000;

test.concurrent.each(QUEUES)(
  'a shop that receives SIGTERM under load stops in time and keeps every acknowledged order, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const shop = await stage.shop();
      await stock(shop, aProduct('TEA', 100_000));
      const acknowledged: string[] = [];
      const customer = async () => {
        for (;;) acknowledged.push((await place(shop)).id);
      };
      const rush = Promise.allSettled(Array.from({ length: CUSTOMERS }, customer));
      await until('the shop is under load', () => acknowledged.length > 50);

      const signalledAt = performance.now();
      const ending = await shop.kill('SIGTERM');
      const tookMs = performance.now() - signalledAt;
      await rush;

      expect(ending).toEqual({ code: 0, signal: null });
      expect(tookMs).toBeLessThan(STOP_WITHIN_MS);
      const next = await stage.shop();
      await stage.quiet();
      const rows = await stage.sql<{ id: string }>('SELECT id FROM orders."order"');
      expect(rows.map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());
      expect(await violationsOf(next, stage)).toEqual({});
    }, queue),
);

test.concurrent.each(QUEUES)(
  'a shop that receives SIGTERM while it starts stops after its start, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const { url } = await stage.database();
      await (await stage.shop()).kill('SIGTERM');
      const locker = new Client({ connectionString: url });
      await locker.connect();
      stage.atEnd(() => locker.end());
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE inventory.product');

      const shop = await stage.launch({ DEMO_CATALOGUE: 'on' });
      await until('it waits for its first product', async () => {
        const rows = await stage.sql(
          `SELECT FROM pg_locks WHERE NOT granted AND relation = 'inventory.product'::regclass`,
        );
        return rows.length > 0;
      });
      const ending = shop.kill('SIGTERM');
      await locker.query('ROLLBACK');

      expect(await ending).toEqual({ code: 0, signal: null });
    }, queue),
);
