import { INVARIANTS, MAILBOX_INVARIANTS, type Subscriber, violationsIn } from './invariants.js';
import { journey } from './journey.js';
import { anOrder, aProduct, place, stock } from './words.js';

const ALL = { ...INVARIANTS, ...MAILBOX_INVARIANTS };

/** Damages a sound database so that the invariant of this name breaks. */
const PLANTS: Readonly<Record<keyof typeof ALL, string>> = {
  'the ledger sums to what is on hand': `UPDATE inventory.movement SET change = change + 1 WHERE kind = 'receipt'`,
  'what is reserved is held for orders': `UPDATE inventory.stock SET reserved = reserved + 1 WHERE sku = 'TEA'`,
  'nothing is promised that is not there': `
    ALTER TABLE inventory.stock DROP CONSTRAINT stock_is_never_oversold;
    UPDATE inventory.stock SET reserved = on_hand + 1`,
  'an order has exactly the reservations that its state says': `
    DELETE FROM inventory.reservation WHERE state = 'held'`,
  'every order is settled': `UPDATE orders."order" SET status = 'placed' WHERE status = 'confirmed'`,
  'every change of an order has its event': `
    DELETE FROM backbone.event WHERE type = 'orders.order-confirmed.v1'`,
  'the last event of an order tells its state': `UPDATE orders."order" SET status = 'delivered' WHERE status = 'shipped'`,
  'the versions of a subject are dense, and in the order of the log': `
    UPDATE backbone.event SET version = version + 1 WHERE type = 'orders.order-shipped.v1'`,
  'an order goes only where its states let it': `
    UPDATE backbone.event SET type = 'orders.order-delivered.v1' WHERE type = 'orders.order-cancelled.v1'`,
  'nobody answers an event twice': `
    INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, causation_id, occurred_at)
    SELECT gen_random_uuid(), subject, version + 100, type, data, metadata, correlation_id, causation_id, occurred_at
      FROM backbone.event WHERE type = 'inventory.stock-short.v1'`,
  'goods leave once for each line that was sent': `
    INSERT INTO inventory.movement (id, sku, kind, change, on_hand, reason)
    SELECT id + 100, sku, kind, change, on_hand, reason FROM inventory.movement WHERE kind = 'dispatch'`,
  'every subscriber hears of an event once, in its transaction or by a delivery': `
    DELETE FROM backbone.delivery WHERE subscriber = 'notifications.emailRejection'`,
  'nobody gets a delivery that is not theirs': `
    UPDATE backbone.delivery SET subscriber = 'notifications.emailNobody'
     WHERE subscriber = 'notifications.emailRejection'`,
  'every delivery is done': `UPDATE backbone.delivery SET state = 'dead' WHERE subscriber LIKE '%emailRejection'`,
  'no delivery of a line is done before an earlier one': `
    UPDATE backbone.delivery SET finished_at = 'infinity' WHERE subscriber LIKE '%emailConfirmation'`,
  'every outcome is told by exactly one message, which was sent': `
    DELETE FROM notifications.message WHERE template = 'order-rejected'`,
  'no event leads to two messages': `
    INSERT INTO notifications.message
    SELECT gen_random_uuid(), event_id, 'order-cancelled', subject, correlation_id, channel, recipient, state,
           attempts, answer, last_error, created_at, sent_at
      FROM notifications.message WHERE template = 'order-rejected'`,
  'no event leads to two mails': `
    INSERT INTO notifications.mailbox_mail
    SELECT gen_random_uuid(), replace(message_id, 'order-rejected', 'order-again'), sender, recipient, subject, html,
           text, headers, about_kind, about_id, created_at
      FROM notifications.mailbox_mail WHERE message_id LIKE '%order-rejected%'`,
  'every sent message is one mail, to the same recipient': `
    UPDATE notifications.mailbox_mail SET recipient = 'somebody-else@example.com'`,
};

test('every invariant holds after a day of business, and is seen to break when it is broken', () =>
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
    for (const [name, plant] of Object.entries(PLANTS)) {
      const broken = await database.pretend(async (rows) => {
        await rows.sql(plant);
        return violationsIn(rows, subscribers, ALL);
      });
      expect(Object.keys(broken)).toContain(name);
    }
  }));
