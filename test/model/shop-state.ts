import type { DeliveryRef } from '../../src/backbone/delivery.js';

/** The comparable state of a shop, by names that its model uses too. */
export interface ShopState {
  /** By SKU. */
  readonly stock: Readonly<Record<string, string>>;
  /** Status and version by the order's reference. */
  readonly orders: Readonly<Record<string, string>>;
  /** By reference and SKU. */
  readonly reservations: Readonly<Record<string, string>>;
  /** State by name, e.g. `emailLowStock TEA 2` for the second time that tea ran low. */
  readonly deliveries: Readonly<Record<string, string>>;
  /** State by the name of the delivery that sends the message. */
  readonly messages: Readonly<Record<string, string>>;
  /** Number of sent e-mails by the same name. */
  readonly mails: Readonly<Record<string, number>>;
  /** Effects of later reactions by the order's reference. */
  readonly sales: Readonly<Record<string, string>>;
  readonly keys: number;
}

export interface ObservedDelivery extends DeliveryRef {
  readonly name: string;
  readonly subject: string;
}

export interface StateRow extends Omit<ShopState, 'deliveries' | 'messages' | 'mails'> {
  readonly deliveries: readonly (ObservedDelivery & { readonly state: string; readonly message: string | null })[];
}

export const STATE_SQL = `
  WITH joined AS (
    SELECT d.*, e.subject, m.state || ', ' || m.attempts || ' attempts' AS message,
           coalesce(o.reference, split_part(e.subject, '/', 2)) AS name_of_subject
      FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
      LEFT JOIN orders."order" o ON e.subject = 'order/' || o.id
      LEFT JOIN notifications.message m ON m.event_id = e.id AND d.subscriber LIKE 'notifications.%'),
  delivery AS (
    SELECT event_id AS "eventId", subscriber, subject, claims, message,
           concat_ws(' ', split_part(subscriber, '.', 2), name_of_subject,
                     row_number() OVER (PARTITION BY subscriber, name_of_subject ORDER BY position)) AS name,
           concat_ws(', ', state, attempts || ' attempts', claims || ' claims',
                     CASE WHEN lease_until > clock_timestamp() THEN 'leased' END,
                     CASE WHEN released_at IS NOT NULL THEN 'released' END) AS state
      FROM joined ORDER BY position, subscriber)
  SELECT
    (SELECT coalesce(json_agg(delivery), '[]') FROM delivery) AS deliveries,
    (SELECT json_object_agg(sku, concat(on_hand, ', ', reserved, ' reserved, ', CASE WHEN is_sold THEN 'on sale' ELSE 'discontinued' END))
       FROM inventory.stock JOIN orders.price USING (sku)) AS stock,
    (SELECT coalesce(json_object_agg(reference, status || ' ' || version), '{}') FROM orders."order") AS orders,
    (SELECT coalesce(json_object_agg(reference || ' ' || sku, r.quantity || ' ' || r.state), '{}')
       FROM inventory.reservation r JOIN orders."order" o ON o.id = r.order_id) AS reservations,
    (SELECT coalesce(json_object_agg(reference, effects), '{}')
       FROM sales.sale JOIN orders."order" ON id = order_id) AS sales,
    (SELECT count(*)::integer FROM backbone.idempotency_key) AS keys`;
