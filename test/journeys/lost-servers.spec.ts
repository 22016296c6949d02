import { PostgresProxy } from '../faults/postgres-proxy.js';
import { describeOnOwnRedis, describeOnRedis, journey, type Stage } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

const REQUESTS = 40;
/** What an outage may say of one cause: when it begins, once more if it lasts, and when it ends. */
const LINES_MAX = 3;
const NOBODY_LISTENS = 1;

/** A way to a server that can be taken away and given back. */
async function wayTo(stage: Stage, target: string) {
  let isOpen = true;
  const { port } = new URL(target);
  const proxy = await new PostgresProxy(() => (isOpen ? Number(port || 5432) : NOBODY_LISTENS)).listen();
  stage.atEnd(() => proxy.stop());
  const close = () => {
    isOpen = false;
    proxy.cut();
  };
  const open = () => {
    isOpen = true;
  };
  return { url: Object.assign(new URL(target), { host: `127.0.0.1:${proxy.port}` }).toString(), close, open };
}

const placeMany = (shop: Program) =>
  Promise.all(Array.from({ length: REQUESTS }, () => shop.post('/v1/orders', anOrder())));
const ready = (shop: Program) => shop.get('/health/ready');
const isReady = (shop: Program) => until('the shop is ready', async () => (await ready(shop)).body.status === 'ok');

/** How often an operator was told of each cause. */
function complaints({ log }: Program): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { level, msg, err } of log) {
    if (['info', 'debug'].includes(level)) continue;
    const { code = '' } = (err ?? {}) as { code?: string };
    const cause = `${msg} ${code}`;
    counts[cause] = (counts[cause] ?? 0) + 1;
  }
  return counts;
}

const expectFewWords = (shop: Program) => {
  const counts = complaints(shop);
  expect(Object.keys(counts)).not.toEqual([]);
  expect(Object.entries(counts).filter(([, count]) => count > LINES_MAX)).toEqual([]);
};

test.concurrent('a PostgreSQL that is lost is 503 for a while, and is found again without a restart or a flood of words', () =>
  journey(async (stage) => {
    const way = await wayTo(stage, (await stage.database()).url);
    const shop = await stage.shop({ DATABASE_URL: way.url });
    await stock(shop, aProduct('TEA', 1000));
    await place(shop);
    await stage.quiet();
    expect((await ready(shop)).body).toMatchObject({ status: 'ok' });

    way.close();
    for (const { status, headers, body } of await placeMany(shop)) {
      expect({ status, code: body.code }).toEqual({ status: 503, code: 'database-unavailable' });
      expect(headers.get('retry-after')).toBe('2');
    }
    const { status, body } = await ready(shop);
    expect({ status, readiness: body.status }).toEqual({ status: 503, readiness: 'failing' });
    expect(body.checks).toContainEqual({
      name: 'database',
      ok: false,
      detail: 'The database is out of reach: try again soon',
    });
    expect((await shop.get('/health/live')).status).toBe(200);

    way.open();
    await isReady(shop);
    expect((await placeMany(shop)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
    await stage.endPauses();
    await stage.quiet();
    expectFewWords(shop);
  }));

describeOnRedis('over Redis', () => {
  test.concurrent('a Redis that is lost keeps no order from being taken, and what waited goes out when it is back', () =>
    journey(async (stage) => {
      const way = await wayTo(stage, (await stage.redis()).settings.REDIS_URL);
      const shop = await stage.shop({ REDIS_URL: way.url });
      await stock(shop, aProduct('TEA', 1000));
      await place(shop);
      await stage.quiet();

      way.close();
      expect((await placeMany(shop)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
      const { status, body } = await ready(shop);
      expect({ status, readiness: body.status }).toEqual({ status: 200, readiness: 'degraded' });
      expect(body.checks).toContainEqual({
        name: 'queues',
        ok: false,
        detail: 'no answer from the queues of inventory, orders, notifications: deliveries wait',
      });

      way.open();
      await isReady(shop);
      await stage.endPauses();
      await stage.quiet();
      expectFewWords(shop);
    }, 'Redis'));
});

describeOnOwnRedis('over a Redis of its own', () => {
  test.concurrent('a Redis that refuses to write keeps no order from being taken, and readiness tells why deliveries wait', () =>
    journey(async (stage) => {
      const { client } = await stage.redis();
      const shop = await stage.shop();
      const counter = await stage.shop({ WORKERS: 'off' });
      await stock(shop, aProduct('TEA', 1000));
      await isReady(shop);

      await client.config('SET', 'min-replicas-to-write', '1');
      expect((await placeMany(counter)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
      const details = (program: Program) => async () => {
        const { status, body } = await ready(program);
        expect(status).toBe(200);
        return body.checks.find(({ detail }: { detail: string }) => detail.startsWith('errors from'))?.detail;
      };
      await until('all of the shop is in trouble', async () => (await details(shop)())?.includes('notifications'));
      expect(await until('the counter is in trouble', details(counter))).toBe(
        'errors from the queues of notifications: deliveries wait',
      );

      await client.config('SET', 'min-replicas-to-write', '0');
      await isReady(shop);
      await stage.endPauses();
      await stage.quiet();
      expectFewWords(shop);
    }, 'Redis'));
});
