import { CRASH_POINTS } from '../support/crash-points.js';
import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { journey, QUEUES, Stage } from '../support/journey.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

interface Order {
  readonly id: string;
  readonly status: string;
}

/** What is left of an order when the process dies there, and what becomes of it. */
interface Death {
  readonly at: string;
  readonly when: string;
  /** Whether the order exists, whatever its customer has heard of it. */
  readonly isStored: boolean;
  /** How often the mail goes out in the end. */
  readonly mails: number;
}

/** An order has three commits: its own, and those that claim its message and that book it as sent. */
const DEATHS: readonly Death[] = [
  { at: 'before-commit', when: 'the order is not stored yet', isStored: false, mails: 0 },
  // The one gap that nothing can close: the mail server has said yes, and we could not write it down any more.
  { at: 'before-commit:3', when: 'its mail is out and not booked', isStored: true, mails: 2 },
  { at: 'after-commit', when: 'the order is stored and in no queue', isStored: true, mails: 1 },
  { at: 'after-enqueue', when: 'its delivery is in the queue', isStored: true, mails: 1 },
  { at: 'after-claim', when: 'its delivery is claimed', isStored: true, mails: 1 },
  { at: 'after-handler', when: 'its delivery has run and is not booked', isStored: true, mails: 1 },
  { at: 'after-finish', when: 'its delivery is booked', isStored: true, mails: 1 },
];

/** Where it matters what the queue still knows. Everywhere else both do the same, and starting takes time. */
const AT_THE_QUEUE = new Set(['after-commit', 'after-enqueue']);

test('no crash point is left out', () => {
  expect([...new Set(DEATHS.map(({ at }) => at.replace(/:.*/, '')))]).toEqual(CRASH_POINTS);
});

const stocked = new Stage();
beforeAll(async () => {
  const shop = await stocked.shop();
  await stock(shop, aProduct('TEA', 10));
  await shop.kill('SIGTERM');
});
afterAll(() => stocked.clear());

test.concurrent.each(
  QUEUES.flatMap((queue) =>
    DEATHS.filter(({ at }) => queue === 'PostgreSQL' || AT_THE_QUEUE.has(at)).map((death) => ({ ...death, queue })),
  ),
)(
  'a process killed at $at, when $when, leaves nothing half done, with queues on $queue',
  ({ at, isStored, mails, queue }) =>
    journey(async (stage) => {
      await stage.beginLike(stocked);
      const mailServer = await stage.mailServer();
      const settings = { SMTP_URL: mailServer.url };
      const doomed = await stage.shop({ ...settings, CRASH_AT: at });

      const answer = await doomed.post('/v1/orders', anOrder()).catch(() => undefined);
      expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
      await stage.endLeases();
      const next = await stage.shop(settings);
      await stage.quiet();

      const { body } = await next.get('/v1/orders');
      const acknowledged = answer ? [answer.body.id] : [];
      expect(body.items.map(({ status }: Order) => status)).toEqual(isStored ? ['confirmed'] : []);
      expect(body.items.map(({ id }: Order) => id)).toEqual(expect.arrayContaining(acknowledged));
      expect(mailServer.received).toHaveLength(mails);
      expect(new Set(mailServer.received.map(({ messageId }) => messageId)).size).toBe(isStored ? 1 : 0);
      expect(await violationsOf(next, stage, INVARIANTS)).toEqual({});
      expect(await place(next)).toMatchObject({ status: 'confirmed' });
    }, queue),
);
