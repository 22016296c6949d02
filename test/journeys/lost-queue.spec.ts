import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { describeOnRedis, journey } from '../support/journey.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const ORDERS = 500;
const CUSTOMERS = 20;

describeOnRedis('a Redis that loses all data', () => {
  test(`delays deliveries but loses none, although ${ORDERS} jobs are lost and some of them are being handled`, () =>
    journey(async (stage) => {
      const redis = await stage.redis();
      const waiting = async () => {
        const queue = `${redis.settings.QUEUE_PREFIX}:notifications`;
        const jobs = (await redis.client.lrange(`${queue}:wait`, 0, -1)).map((id) =>
          redis.client.hget(`${queue}:${id}`, 'data'),
        );
        return (await Promise.all(jobs)).flatMap((data) => JSON.parse(data ?? '[]')).length;
      };
      const mailServer = await stage.mailServer();
      mailServer.hang();
      const front = await stage.shop({ WORKERS: 'off' });
      await stock(front, aProduct('TEA', 2 * ORDERS));
      const customer = async () => {
        for (let order = 0; order < ORDERS / CUSTOMERS; order += 1) await place(front);
      };
      await Promise.all(Array.from({ length: CUSTOMERS }, customer));
      await until('all deliveries are in the queue', async () => (await waiting()) === ORDERS);

      const worker = await stage.shop({ SMTP_URL: mailServer.url });
      await until('some e-mails are being sent', () => mailServer.isBusy);
      await redis.wipe();
      expect(await waiting()).toBe(0);
      mailServer.resume();
      await stage.endPauses();
      await stage.quiet();

      expect(mailServer.received).toHaveLength(ORDERS);
      expect(new Set(mailServer.received.map(({ messageId }) => messageId)).size).toBe(ORDERS);
      expect(await violationsOf(worker, stage, INVARIANTS)).toEqual({});
    }, 'Redis'));
});
