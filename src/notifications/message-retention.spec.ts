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
const updateDeliveries = (to: string) => stage.query(`UPDATE backbone.delivery SET ${to}`);
const replayFor = async (name: string) => (await stage.post(`/v1/operations/subscriptions/${name}/replay`, {})).body;

async function age(days: number): Promise<void> {
  await ageRows(days, stage.dataSource);
  const ago = `interval '${days} days'`;
  await stage.query(`UPDATE notifications.message
                      SET id = ${olderId('id', days)}, event_id = ${olderId('event_id', days)},
                          created_at = created_at - ${ago}, sent_at = sent_at - ${ago}`);
  await stage.query(`UPDATE notifications.mailbox_mail
                      SET id = ${olderId('id', days)}, created_at = created_at - ${ago},
                          message_id = '<' || ${olderId('substr(message_id, 2, 36)', days)} || substr(message_id, 38)`);
}

async function sendMessage(): Promise<string> {
  const orderId = uuidv7();
  await stage.receive(confirmed(orderId));
  await stage.runDeliveries();
  return orderId;
}

test('a message that was sent long ago is deleted with its mail, and no replay sends it again', async () => {
  await sendMessage();
  await age(40);
  expect(await prune()).toMatchObject({ deliveries: 1, messages: 0, mails: 0 });
  expect(await messages()).toMatchObject([{ state: 'sent' }]);

  await age(330);
  const young = await sendMessage();
  expect(await prune()).toMatchObject({ deliveries: 0, messages: 1, mails: 1 });

  expect(await messages()).toMatchObject([{ subject: young }]);
  expect(await replayFor(SUBSCRIBER)).toMatchObject({ run: 0, suppressed: [{ reason: 'done' }, { reason: 'pruned' }] });
  expect(await stage.runDeliveries()).toBe(0);
  expect(await mails()).toHaveLength(1);
});

test('a message whose delivery is done is deleted, even while the delivery is kept', async () => {
  await sendMessage();
  await age(366);
  await updateDeliveries('finished_at = clock_timestamp()');

  expect(await prune()).toMatchObject({ deliveries: 0, messages: 1, mails: 1 });
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
});

test.each<[what: string, state: string]>([
  ['is pending, because the process died before its end was stored', `state = 'pending', finished_at = NULL`],
  ['is dead', `state = 'dead'`],
  ['was skipped, which a replay can undo', `state = 'skipped', finished_at = clock_timestamp()`],
])('a message whose delivery %s is kept, so that the delivery does not send it again', async (_, state) => {
  const orderId = await sendMessage();
  await age(800);
  await updateDeliveries(state);
  await stage.query('DELETE FROM notifications.mailbox_mail');

  expect(await prune()).toMatchObject({ deliveries: 0, messages: 0 });

  await stage.post('/v1/operations/deliveries/replay', { filter: {} });
  expect(await stage.runDeliveries()).toBe(1);
  expect(await messages()).toMatchObject([{ subject: orderId, state: 'sent', attempts: 1 }]);
  expect(await mails()).toEqual([]);
});

test('a message without a known delivery is kept', async () => {
  await sendMessage();
  await stage.query('DELETE FROM backbone.delivery');
  await age(366);

  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
});

test('a failed message is kept while it can be replayed, and its age then counts from its sending', async () => {
  await sendMessage();
  await stage.query(`UPDATE notifications.message SET state = 'failed', sent_at = NULL`);
  await updateDeliveries(`state = 'dead'`);
  await age(366);
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });

  await stage.post('/v1/operations/deliveries/replay', { filter: { state: 'dead' } });
  await stage.runDeliveries();
  expect(await prune()).toMatchObject({ messages: 0, mails: 0 });
  expect(await messages()).toMatchObject([{ state: 'sent' }]);

  await age(366);
  expect(await prune()).toMatchObject({ messages: 1, mails: 1 });
});

test('a failed message is deleted when its delivery was skipped and is deleted', async () => {
  await sendMessage();
  await stage.query(`UPDATE notifications.message SET state = 'failed', sent_at = NULL`);
  await updateDeliveries(`state = 'skipped'`);
  await age(366);

  expect(await prune()).toMatchObject({ deliveries: 1, messages: 1, mails: 1 });
});

test('a pending message is never deleted', async () => {
  await sendMessage();
  await stage.query(`UPDATE notifications.message SET state = 'pending', sent_at = NULL`);
  await age(3_000);

  expect(await prune()).toMatchObject({ deliveries: 1, messages: 0, mails: 0 });
});

test('concurrent processes delete messages of several batches once', async () => {
  await stage.receive(...Array.from({ length: 430 }, () => confirmed(uuidv7())));
  await updateDeliveries(`state = 'done', finished_at = clock_timestamp()`);
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
  await age(366);

  const [one, other] = await Promise.all([prune(), prune()]);

  expect([Number(one.messages) + Number(other.messages), Number(one.mails) + Number(other.mails)]).toEqual([430, 430]);
  expect([await messages(), await mails()]).toEqual([[], []]);
});

test('KEEP_MESSAGES_DAYS=0 keeps messages for ever', async () => {
  const keeper = await ModuleStage.of(NotificationsModule, { KEEP_MESSAGES_DAYS: '0' });
  try {
    expect(await keeper.app.get(RetentionRunner).prune()).toMatchObject({ messages: 0, mails: 0 });
  } finally {
    await keeper.close();
  }
});
