import { INVARIANTS, MAILBOX_INVARIANTS, type Subscriber, violationsIn } from './invariants.js';
import { journey } from './journey.js';
import { anOrder, aProduct, place, stock } from './words.js';

const ALL = { ...INVARIANTS, ...MAILBOX_INVARIANTS };

/** SQL that damages a correct database so that the invariant of this name is violated. */
const DAMAGES: Readonly<Record<keyof typeof ALL, string>> = {
  'the ledger sums to the stock on hand': `UPDATE inventory.movement SET change = change + 1 WHERE kind = 'receipt'`,
  'reserved units equal the held reservations': `UPDATE inventory.stock SET reserved = reserved + 1 WHERE sku = 'TEA'`,
  'no more is reserved than is on hand': `
    ALTER TABLE inventory.stock DROP CONSTRAINT stock_is_never_oversold;
    UPDATE inventory.stock SET reserved = on_hand + 1`,
  'an order has exactly the reservations of its state': `
    DELETE FROM inventory.reservation WHERE state = 'held'`,
  'no order remains placed': `UPDATE orders."order" SET status = 'placed' WHERE status = 'confirmed'`,
  'every version of an order has its event': `
    DELETE FROM backbone.event WHERE type = 'orders.order-confirmed.v1'`,
  'the last event of an order matches its state': `UPDATE orders."order" SET status = 'delivered' WHERE status = 'shipped'`,
  'the versions of a subject are dense and ascend with the position': `
    UPDATE backbone.event SET version = version + 1 WHERE type = 'orders.order-shipped.v1'`,
  'an order makes only allowed state transitions': `
    UPDATE backbone.event SET type = 'orders.order-delivered.v1' WHERE type = 'orders.order-cancelled.v1'`,
  'no event causes the same event twice': `
    INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, causation_id, occurred_at)
    SELECT gen_random_uuid(), subject, version + 100, type, data, metadata, correlation_id, causation_id, occurred_at
      FROM backbone.event WHERE type = 'inventory.stock-short.v1'`,
  'each dispatched reservation has one dispatch in the ledger': `
    INSERT INTO inventory.movement (id, sku, kind, change, on_hand, reason)
    SELECT id + 100, sku, kind, change, on_hand, reason FROM inventory.movement WHERE kind = 'dispatch'`,
  'every subscriber handles an event exactly once': `
    DELETE FROM backbone.delivery WHERE subscriber = 'notifications.emailRejection'`,
  'every delivery is for a subscriber of its event': `
    UPDATE backbone.delivery SET subscriber = 'notifications.emailNobody'
     WHERE subscriber = 'notifications.emailRejection'`,
  'every delivery is done': `UPDATE backbone.delivery SET state = 'dead' WHERE subscriber LIKE '%emailRejection'`,
  'no delivery is done before an earlier one of its partition': `
    UPDATE backbone.delivery SET finished_at = 'infinity' WHERE subscriber LIKE '%emailConfirmation'`,
  'every outcome has exactly one message, which was sent': `
    DELETE FROM notifications.message WHERE template = 'order-rejected'`,
  'no event has two messages': `
    INSERT INTO notifications.message
    SELECT gen_random_uuid(), event_id, 'order-cancelled', subject, correlation_id, channel, recipient, state,
           attempts, answer, last_error, created_at, sent_at
      FROM notifications.message WHERE template = 'order-rejected'`,
  'no event has two e-mails': `
    INSERT INTO notifications.mailbox_mail
    SELECT gen_random_uuid(), replace(message_id, 'order-rejected', 'order-again'), sender, recipient, subject, html,
           text, headers, about_kind, about_id, created_at
      FROM notifications.mailbox_mail WHERE message_id LIKE '%order-rejected%'`,
  'every sent message has one e-mail with the same recipient': `
    UPDATE notifications.mailbox_mail SET recipient = 'somebody-else@example.com'`,
};

test('every invariant holds after normal use, and a violation of it is detected', () =>
  journey(async (stage) => {
    const shop = await stage.shop();
    await stock(shop, aProduct('TEA', 100, { reorderLevel: 95 }));
    const [, cancelled, shipped] = [await place(shop), await place(shop), await place(shop)];
    await place(shop, anOrder([{ sku: 'TEA', quantity: 1_000 }]));
    await shop.post(`/v1/orders/${cancelled.id}/cancellation`, { reason: 'changed plans' });
    await shop.post(`/v1/orders/${shipped.id}/shipment`, { carrier: 'Speedy Express', trackingNumber: 'SE-1' });
    await place(shop, anOrder([{ sku: 'TEA', quantity: 3 }]));
    await stage.quiet();
    const subscribers: Subscriber[] = (await shop.get('/v1/operations/subscriptions')).body.items;
    await shop.kill('SIGTERM');

    expect(await violationsIn(stage, subscribers, ALL)).toEqual({});
    const database = await stage.database();
    for (const [name, damage] of Object.entries(DAMAGES)) {
      const broken = await database.rolledBack(async (rows) => {
        await rows.sql(damage);
        return violationsIn(rows, subscribers, ALL);
      });
      expect(Object.keys(broken)).toContain(name);
    }
  }));
