import { Client } from 'pg';
import { violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const CUSTOMERS = 10;
const STOP_WITHIN_MS = 10_000;

test.concurrent.each(QUEUES)(
  'a shop that is told to stop in a rush stops in time, and keeps what it has promised, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const shop = await stage.shop();
      await stock(shop, aProduct('TEA', 100_000));
      const acknowledged: string[] = [];
      const customer = async () => {
        for (;;) acknowledged.push((await place(shop)).id);
      };
      const rush = Promise.allSettled(Array.from({ length: CUSTOMERS }, customer));
      await until('the rush is on', () => acknowledged.length > 50);

      const toldAt = performance.now();
      const ending = await shop.kill('SIGTERM');
      const tookMs = performance.now() - toldAt;
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
  'a shop that is told to stop while it opens, stops when it is open, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const { url } = await stage.database();
      await (await stage.shop()).kill('SIGTERM');
      const inTheWay = new Client({ connectionString: url });
      await inTheWay.connect();
      stage.atEnd(() => inTheWay.end());
      await inTheWay.query('BEGIN');
      await inTheWay.query('LOCK TABLE inventory.product');

      const shop = await stage.launch({ DEMO_CATALOGUE: 'on' });
      await until('it waits for its first product', async () => {
        const rows = await stage.sql(
          `SELECT FROM pg_locks WHERE NOT granted AND relation = 'inventory.product'::regclass`,
        );
        return rows.length > 0;
      });
      const ending = shop.kill('SIGTERM');
      await inTheWay.query('ROLLBACK');

      expect(await ending).toEqual({ code: 0, signal: null });
    }, queue),
);
