import { PostgresProxy } from '../faults/postgres-proxy.js';
import { describeOnOwnRedis, describeOnRedis, journey, type Stage } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

const REQUESTS = 40;
/** Log entries of one cause during an outage: at the beginning, once more if it lasts, and at the end. */
const ENTRIES_MAX = 3;
/** A port on which no server listens. */
const CLOSED_PORT = 1;

/** A proxy to a server that can be closed and opened again. */
async function proxyTo(stage: Stage, target: string) {
  let isOpen = true;
  const { port } = new URL(target);
  const proxy = await new PostgresProxy(() => (isOpen ? Number(port || 5432) : CLOSED_PORT)).listen();
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

/** Number of log entries above info for each cause. */
function problemsIn({ log }: Program): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { level, msg, err } of log) {
    if (['info', 'debug'].includes(level)) continue;
    const { code = '' } = (err ?? {}) as { code?: string };
    const cause = `${msg} ${code}`;
    counts[cause] = (counts[cause] ?? 0) + 1;
  }
  return counts;
}

const expectFewLogEntries = (shop: Program) => {
  const counts = problemsIn(shop);
  expect(Object.keys(counts)).not.toEqual([]);
  expect(Object.entries(counts).filter(([, count]) => count > ENTRIES_MAX)).toEqual([]);
};

test.concurrent('while PostgreSQL is unreachable, requests get 503; afterwards they succeed without a restart, and the log has few entries', () =>
  journey(async (stage) => {
    const proxy = await proxyTo(stage, (await stage.database()).url);
    const shop = await stage.shop({ DATABASE_URL: proxy.url });
    await stock(shop, aProduct('TEA', 1000));
    await place(shop);
    await stage.quiet();
    expect((await ready(shop)).body).toMatchObject({ status: 'ok' });

    proxy.close();
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

    proxy.open();
    await isReady(shop);
    expect((await placeMany(shop)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
    await stage.endPauses();
    await stage.quiet();
    expectFewLogEntries(shop);
  }));

describeOnRedis('with queues on Redis', () => {
  test.concurrent('while Redis is unreachable, orders are accepted; afterwards their deliveries run', () =>
    journey(async (stage) => {
      const proxy = await proxyTo(stage, (await stage.redis()).settings.REDIS_URL);
      const shop = await stage.shop({ REDIS_URL: proxy.url });
      await stock(shop, aProduct('TEA', 1000));
      await place(shop);
      await stage.quiet();

      proxy.close();
      expect((await placeMany(shop)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
      const { status, body } = await ready(shop);
      expect({ status, readiness: body.status }).toEqual({ status: 200, readiness: 'degraded' });
      expect(body.checks).toContainEqual({
        name: 'queues',
        ok: false,
        detail: 'no answer from the queues of inventory, orders, notifications: deliveries wait',
      });

      proxy.open();
      await isReady(shop);
      await stage.endPauses();
      await stage.quiet();
      expectFewLogEntries(shop);
    }, 'Redis'));
});

describeOnOwnRedis('with its own Redis', () => {
  test.concurrent('while Redis refuses writes, orders are accepted, and readiness reports why deliveries wait', () =>
    journey(async (stage) => {
      const { client } = await stage.redis();
      const shop = await stage.shop();
      const front = await stage.shop({ WORKERS: 'off' });
      await stock(shop, aProduct('TEA', 1000));
      await isReady(shop);

      await client.config('SET', 'min-replicas-to-write', '1');
      expect((await placeMany(front)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(201));
      const details = (program: Program) => async () => {
        const { status, body } = await ready(program);
        expect(status).toBe(200);
        return body.checks.find(({ detail }: { detail: string }) => detail.startsWith('errors from'))?.detail;
      };
      await until('readiness of the shop reports all queues', async () =>
        (await details(shop)())?.includes('notifications'),
      );
      expect(await until('readiness of the front end reports its queue', details(front))).toBe(
        'errors from the queues of notifications: deliveries wait',
      );

      await client.config('SET', 'min-replicas-to-write', '0');
      await isReady(shop);
      await stage.endPauses();
      await stage.quiet();
      expectFewLogEntries(shop);
    }, 'Redis'));
});
