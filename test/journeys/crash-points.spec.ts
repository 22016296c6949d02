import { CRASH_POINTS } from '../support/crash-points.js';
import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { journey, QUEUES, Stage } from '../support/journey.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

interface Order {
  readonly id: string;
  readonly status: string;
}

/** A crash point, and the expected state after recovery. */
interface Death {
  readonly at: string;
  readonly when: string;
  /** Whether the order is stored, even if its customer has received no answer. */
  readonly isStored: boolean;
  /** Number of e-mails that are sent in total. */
  readonly mails: number;
}

/** Handling an order takes three commits: its own, the claim of its message, and the record that it was sent. */
const DEATHS: readonly Death[] = [
  { at: 'before-commit', when: 'the order is not stored yet', isStored: false, mails: 0 },
  // This gap cannot be closed: the mail server has accepted the e-mail, and the process dies before it records that.
  { at: 'before-commit:3', when: 'its e-mail is sent and not recorded', isStored: true, mails: 2 },
  { at: 'after-commit', when: 'the order is stored and its delivery is not in the queue', isStored: true, mails: 1 },
  { at: 'after-enqueue', when: 'its delivery is in the queue', isStored: true, mails: 1 },
  { at: 'after-claim', when: 'its delivery is claimed', isStored: true, mails: 1 },
  { at: 'after-handler', when: 'its delivery has run and is not recorded as done', isStored: true, mails: 1 },
  { at: 'after-finish', when: 'its delivery is recorded as done', isStored: true, mails: 1 },
];

/** Only these crash points depend on the queue. The others run with one backend only, to save time. */
const AT_THE_QUEUE = new Set(['after-commit', 'after-enqueue']);

test('every crash point of the build is tested', () => {
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
  'a process killed at $at, when $when, leaves no incomplete work, with queues on $queue',
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
