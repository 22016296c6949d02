import type { Program } from './program.js';

/** A subscriber as in `/v1/operations/subscriptions`. All of them, as JSON, are parameter $1 of the queries. */
export interface Subscriber {
  readonly name: string;
  readonly event: string;
  /** Receives no new events. */
  readonly retired?: boolean;
}

const SUBSCRIBERS = `jsonb_to_recordset($1::jsonb) AS s(name text, event text, retired boolean)`;

/** Types of events of which each leads to one message, and its template. */
export const EVENTS_WITH_MESSAGE = `
  (VALUES ('orders.order-confirmed.v1', 'order-confirmed'), ('orders.order-rejected.v1', 'order-rejected'),
          ('orders.order-cancelled.v1', 'order-cancelled'), ('orders.order-shipped.v1', 'order-shipped'),
          ('orders.order-delivered.v1', 'order-delivered'), ('inventory.stock-ran-low.v1', 'stock-ran-low'))
  AS expected(type, template)`;

/** Invariants that hold whenever no delivery is pending. Each query returns the rows that violate it. */
export const INVARIANTS = {
  'the ledger sums to the stock on hand': `
    SELECT s.sku, s.on_hand, sum(m.change) AS ledger
      FROM inventory.stock s LEFT JOIN inventory.movement m USING (sku)
     GROUP BY s.sku HAVING s.on_hand <> coalesce(sum(m.change), 0)`,

  'reserved units equal the held reservations': `
    SELECT s.sku, s.reserved, sum(r.quantity) AS held
      FROM inventory.stock s LEFT JOIN inventory.reservation r ON r.sku = s.sku AND r.state = 'held'
     GROUP BY s.sku HAVING s.reserved <> coalesce(sum(r.quantity), 0)`,

  'no more is reserved than is on hand': `
    SELECT sku, on_hand, reserved FROM inventory.stock WHERE reserved < 0 OR reserved > on_hand`,

  'an order has exactly the reservations of its state': `
    WITH wanted AS (
      SELECT o.id AS order_id, l.sku, sum(l.quantity) AS quantity,
             CASE o.status WHEN 'confirmed' THEN 'held' WHEN 'cancelled' THEN 'released' ELSE 'dispatched' END AS state
        FROM orders."order" o JOIN orders.order_line l ON l.order_id = o.id
       WHERE o.status IN ('confirmed', 'cancelled', 'shipped', 'delivered')
       GROUP BY o.id, l.sku)
    SELECT order_id, sku, wanted.quantity, wanted.state, r.quantity AS reserved, r.state AS reservation
      FROM wanted FULL JOIN inventory.reservation r USING (order_id, sku)
     WHERE (wanted.quantity, wanted.state) IS DISTINCT FROM (r.quantity::bigint, r.state)`,

  'no order remains placed': `SELECT id, status FROM orders."order" WHERE status = 'placed'`,

  'every version of an order has its event': `
    SELECT o.id, o.version, count(e.id) AS events
      FROM orders."order" o LEFT JOIN backbone.event e ON e.subject = 'order/' || o.id
     GROUP BY o.id HAVING o.version <> count(e.id)`,

  'the last event of an order matches its state': `
    SELECT o.id, o.status, e.type
      FROM orders."order" o LEFT JOIN backbone.event e ON e.subject = 'order/' || o.id AND e.version = o.version
     WHERE e.type IS DISTINCT FROM 'orders.order-' || o.status || '.v1'`,

  'the versions of a subject are dense and ascend with the position': `
    SELECT subject, version, place
      FROM (SELECT subject, version, row_number() OVER (PARTITION BY subject ORDER BY position) AS place
              FROM backbone.event) e
     WHERE version <> place`,

  'an order makes only allowed state transitions': `
    SELECT subject, version, was, type
      FROM (SELECT subject, version, split_part(type, '.', 2) AS type,
                   coalesce(split_part(lag(type) OVER (PARTITION BY subject ORDER BY version), '.', 2), '') AS was
              FROM backbone.event WHERE subject LIKE 'order/%') e
     WHERE (was, type) NOT IN (
       ('', 'order-placed'), ('order-placed', 'order-confirmed'), ('order-placed', 'order-rejected'),
       ('order-placed', 'order-cancelled'), ('order-confirmed', 'order-cancelled'),
       ('order-confirmed', 'order-shipped'), ('order-shipped', 'order-delivered'))`,

  'no event causes the same event twice': `
    SELECT causation_id, type, subject, count(*)
      FROM backbone.event WHERE causation_id IS NOT NULL
     GROUP BY causation_id, type, subject HAVING count(*) > 1`,

  'each dispatched reservation has one dispatch in the ledger': `
    SELECT *
      FROM (SELECT order_id::text AS order_id, sku, quantity::bigint AS reserved
              FROM inventory.reservation WHERE state = 'dispatched') r
      FULL JOIN (SELECT reason AS order_id, sku, -sum(change) AS sent
                   FROM inventory.movement WHERE kind = 'dispatch' GROUP BY reason, sku) m USING (order_id, sku)
     WHERE reserved IS DISTINCT FROM sent`,

  'every subscriber handles an event exactly once': `
    SELECT e.id, e.type, s.name, d.state, coalesce(handled.times, 0) AS in_transaction
      FROM backbone.event e JOIN ${SUBSCRIBERS} ON s.event = e.type AND s.retired IS NOT TRUE
      LEFT JOIN backbone.delivery d ON d.event_id = e.id AND d.subscriber = s.name
      LEFT JOIN LATERAL (
        SELECT count(*) AS times FROM jsonb_array_elements(e.metadata -> 'reactions') r
         WHERE r ->> 'subscriber' = s.name) handled ON true
     WHERE coalesce(handled.times, 0) + (d.event_id IS NOT NULL)::integer <> 1`,

  'every delivery is for a subscriber of its event': `
    SELECT e.id, e.type, d.subscriber
      FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
      LEFT JOIN ${SUBSCRIBERS} ON s.name = d.subscriber AND s.event = e.type
     WHERE s.name IS NULL`,

  'every delivery is done': `
    SELECT event_id, subscriber, state, errors FROM backbone.delivery WHERE state <> 'done'`,

  'no delivery is done before an earlier one of its partition': `
    SELECT d.order_key, d.event_id
      FROM backbone.delivery d JOIN backbone.delivery p ON p.order_key = d.order_key AND p.position < d.position
     WHERE d.finished_at < p.finished_at`,

  'every outcome has exactly one message, which was sent': `
    SELECT e.id, e.type, m.template, m.state
      FROM (backbone.event e JOIN ${EVENTS_WITH_MESSAGE} USING (type))
      FULL JOIN notifications.message m ON m.event_id = e.id
     WHERE m.state IS DISTINCT FROM 'sent' OR m.template IS DISTINCT FROM expected.template`,

  'no event has two messages': `
    SELECT event_id, count(*) FROM notifications.message GROUP BY event_id HAVING count(*) > 1`,
} as const;

/**
 * Further invariants where e-mails are stored in the mailbox. The Message-ID of an e-mail contains the id of its event.
 */
export const MAILBOX_INVARIANTS = {
  'no event has two e-mails': `
    SELECT split_part(message_id, '.', 1) AS event, count(*)
      FROM notifications.mailbox_mail GROUP BY 1 HAVING count(*) > 1`,

  'every sent message has one e-mail with the same recipient': `
    SELECT m.event_id, m.template, m.recipient, mail.message_id, mail.recipient AS mailed_to
      FROM (SELECT * FROM notifications.message WHERE state = 'sent') m
      FULL JOIN notifications.mailbox_mail mail
        ON split_part(mail.message_id, '@', 1) = '<' || m.event_id || '.' || m.template
     WHERE m.recipient IS DISTINCT FROM mail.recipient`,
} as const;

/** A connection that can read all rows. */
interface Rows {
  sql<Row>(statement: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** Returns the violated invariants of a shop without pending deliveries, each with some of the violating rows. */
export async function violationsOf(
  shop: Program,
  rows: Rows,
  invariants: Readonly<Record<string, string>> = { ...INVARIANTS, ...MAILBOX_INVARIANTS },
): Promise<Record<string, unknown[]>> {
  const { body } = await shop.get('/v1/operations/subscriptions');
  return violationsIn(rows, body.items, invariants);
}

export async function violationsIn(
  rows: Rows,
  subscribers: readonly Subscriber[],
  invariants: Readonly<Record<string, string>>,
): Promise<Record<string, unknown[]>> {
  const violations: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(invariants)) {
    const parameters = sql.includes('$1') ? [JSON.stringify(subscribers)] : [];
    const found = await rows.sql(`${sql} LIMIT 10`, parameters);
    if (found.length > 0) violations[name] = found;
  }
  return violations;
}
