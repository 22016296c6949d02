import { PostgresProxy } from '../faults/postgres-proxy.js';
import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const STOP_WITHIN_MS = 10_000;
const ORDERS = 10;
const POSTGRES_PORT = 5432;

test.concurrent.each(QUEUES)(
  'a shop whose PostgreSQL does not answer stops in time and loses no work, with queues on %s',
  (queue) =>
    journey(async (stage) => {
      const target = new URL((await stage.database()).url);
      const port = Number(target.port || POSTGRES_PORT);
      const proxy = await new PostgresProxy(() => port).listen();
      stage.atEnd(() => proxy.stop());
      const proxied = Object.assign(new URL(target), { host: `127.0.0.1:${proxy.port}` });
      const mailServer = await stage.mailServer();
      const shop = await stage.shop({ DATABASE_URL: proxied.toString(), SMTP_URL: mailServer.url });
      await stock(shop, aProduct('TEA', ORDERS));
      mailServer.hang();
      for (let order = 0; order < ORDERS; order += 1) await place(shop);
      await until('some e-mails are being sent', () => mailServer.isBusy);

      proxy.freeze();
      await until('readiness fails', async () => (await shop.get('/health/ready')).status === 503);
      const signalledAt = performance.now();
      const ending = await shop.kill('SIGTERM');
      const tookMs = performance.now() - signalledAt;

      expect(ending).toEqual({ code: 0, signal: null });
      expect(tookMs).toBeLessThan(STOP_WITHIN_MS);
      proxy.cut();
      mailServer.resume();
      const next = await stage.shop({ SMTP_URL: mailServer.url });
      await stage.endLeases();
      await stage.quiet();
      expect(await violationsOf(next, stage, INVARIANTS)).toEqual({});
    }, queue),
);
