import { v7 as uuidv7 } from 'uuid';
import { ageRows, olderId } from '../backbone/testing/age-rows.js';
import { RetentionRunner } from '../common/retention/retention.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrderConfirmed } from '../orders/orders.events.js';
import { NotificationsModule } from './notifications.module.js';

const customer = { name: 'Maria Anders', email: 'maria@customer.example' };
const total = { amount: 1_800, currency: 'USD' };
const confirmed = (orderId: string) => OrderConfirmed({ orderId, customer, lines: [], total });
const SUBSCRIBER = 'notifications.emailConfirmation';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(NotificationsModule, { KEEP_DELIVERIES_DAYS: '30', KEEP_MESSAGES_DAYS: '365' });
});

afterAll(() => stage.close());

beforeEach(() =>
  stage.query(`TRUNCATE backbone.event, backbone.delivery, backbone.pruned_delivery,
                      notifications.message, notifications.mailbox_mail,
                      notifications.newest_forgotten`),
);

const prune = () => stage.app.get(RetentionRunner).prune();
const messages = async () => (await stage.get('/v1/notifications')).body.items;
const mails = () => stage.query<{ id: string }>('SELECT id FROM notifications.mailbox_mail');
const deliveries = (to: string) => stage.query(`UPDATE backbone.delivery SET ${to}`);
const replayFor = async (name: string) => (await stage.post(`/v1/operations/subscriptions/${name}/replay`, {})).body;

async function pass(days: number): Promise<void> {
  await ageRows(days, stage.dataSource);
  const ago = `interval '${days} days'`;
  await stage.query(`UPDATE notifications.message
                      SET id = ${olderId('id', days)}, event_id = ${olderId('event_id', days)},
                          created_at = created_at - ${ago}, sent_at = sent_at - ${ago}`);
  await stage.query(`UPDATE notifications.mailbox_mail
                      SET id = ${olderId('id', days)}, created_at = created_at - ${ago},
                          message_id = '<' || ${olderId('substr(message_id, 2, 36)', days)} || substr(message_id, 38)`);
}

async function told(): Promise<string> {
  const orderId = uuidv7();
  await stage.receive(confirmed(orderId));
  await stage.runDeliveries();
  return orderId;
}

test('a message is deleted with its mail when it was sent long ago, and no replay sends it again', async () => {
  await told();
  await pass(40);
  expect(await prune()).toMatchObject({ deliveries: 1, messages: 0, mails: 0 });
  expect(await messages()).toMatchObject([{ state: 'sent' }]);

  await pass(330);
  const young = await told();
  expect(await prune()).toMatchObject({ deliveries: 0, messages: 1, mails: 1 });

  expect(await messages()).toMatchObject([{ subject: young }]);
  expect(await replayFor(SUBSCRIBER)).toMatchObject({ run: 0, suppressed: [{ reason: 'done' }, { reason: 'pruned' }] });
  expect(await stage.runDeliveries()).toBe(0);
  expect(await mails()).toHaveLength(1);
});

test('one whose delivery is done is deleted, although that delivery is kept', async () => {
  await told();
  await pass(366);
  await deliveries('finished_at = clock_timestamp()');

  expect(await prune()).toMatchObject({ deliveries: 0, messages: 1, mails: 1 });
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
});

test.each<[what: string, state: string]>([
  ['waits, because the program died before it was booked', `state = 'pending', finished_at = NULL`],
  ['is dead', `state = 'dead'`],
  ['was skipped, which can be taken back', `state = 'skipped', finished_at = clock_timestamp()`],
])('one whose delivery %s is kept, and not sent again by it', async (_, state) => {
  const orderId = await told();
  await pass(800);
  await deliveries(state);
  await stage.query('DELETE FROM notifications.mailbox_mail');

  expect(await prune()).toMatchObject({ deliveries: 0, messages: 0 });

  await stage.post('/v1/operations/deliveries/replay', { filter: {} });
  expect(await stage.runDeliveries()).toBe(1);
  expect(await messages()).toMatchObject([{ subject: orderId, state: 'sent', attempts: 1 }]);
  expect(await mails()).toEqual([]);
});

test('one of whose delivery nothing is known is kept', async () => {
  await told();
  await stage.query('DELETE FROM backbone.delivery');
  await pass(366);

  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
});

test('one that failed is kept for as long as it can be replayed, and is as old as its sending then', async () => {
  await told();
  await stage.query(`UPDATE notifications.message SET state = 'failed', sent_at = NULL`);
  await deliveries(`state = 'dead'`);
  await pass(366);
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });

  await stage.post('/v1/operations/deliveries/replay', { filter: { state: 'dead' } });
  await stage.runDeliveries();
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
  expect(await messages()).toMatchObject([{ state: 'sent' }]);

  await pass(366);
  expect(await prune()).toMatchObject({ messages: 1, mails: 1 });
});

test('one that failed for good is deleted when its delivery was skipped and is deleted', async () => {
  await told();
  await stage.query(`UPDATE notifications.message SET state = 'failed', sent_at = NULL`);
  await deliveries(`state = 'skipped'`);
  await pass(366);

  expect(await prune()).toMatchObject({ deliveries: 1, messages: 1, mails: 1 });
});

test('one that is pending is never deleted', async () => {
  await told();
  await stage.query(`UPDATE notifications.message SET state = 'pending', sent_at = NULL`);
  await pass(3_000);

  expect(await prune()).toMatchObject({ deliveries: 1, messages: 0, mails: 0 });
});

test('they are deleted once, by however many processes, over the bounds of batches', async () => {
  await stage.receive(...Array.from({ length: 430 }, () => confirmed(uuidv7())));
  await deliveries(`state = 'done', finished_at = clock_timestamp()`);
  await stage.query(
    `INSERT INTO notifications.message
       (id, event_id, template, subject, correlation_id, channel, recipient, state, attempts, sent_at)
     SELECT event_id, event_id, 'order-confirmed', '', '', 'email', '', 'sent', 1, now() FROM backbone.delivery`,
  );
  await stage.query(
    `INSERT INTO notifications.mailbox_mail
       (id, message_id, sender, recipient, subject, html, text, headers, about_kind, about_id)
     SELECT id, '<' || event_id || '.order-confirmed@shop>', '', '', '', '', '', '{}', 'order', ''
       FROM notifications.message`,
  );
  await pass(366);

  const [one, other] = await Promise.all([prune(), prune()]);

  expect([Number(one.messages) + Number(other.messages), Number(one.mails) + Number(other.mails)]).toEqual([430, 430]);
  expect([await messages(), await mails()]).toEqual([[], []]);
});

test('they stay for ever where that is said', async () => {
  const keeper = await ModuleStage.of(NotificationsModule, { KEEP_MESSAGES_DAYS: '0' });
  try {
    expect(await keeper.app.get(RetentionRunner).prune()).toMatchObject({ messages: 0, mails: 0 });
  } finally {
    await keeper.close();
  }
});
