import type { Program } from './program.js';

/** Who hears what, as `/v1/operations/subscriptions` tells: parameter $1 of every query, as JSON. */
export interface Subscriber {
  readonly name: string;
  readonly event: string;
  /** Hears nothing new. */
  readonly retired?: boolean;
}

const SUBSCRIBERS = `jsonb_to_recordset($1::jsonb) AS s(name text, event text, retired boolean)`;

/** The events of which somebody outside is told, each by one mail. */
export const TOLD = `
  (VALUES ('orders.order-confirmed.v1', 'order-confirmed'), ('orders.order-rejected.v1', 'order-rejected'),
          ('orders.order-cancelled.v1', 'order-cancelled'), ('orders.order-shipped.v1', 'order-shipped'),
          ('orders.order-delivered.v1', 'order-delivered'), ('inventory.stock-ran-low.v1', 'stock-ran-low'))
  AS told(type, template)`;

/** What always holds once no delivery is pending. Each query gives the rows that break it. */
export const INVARIANTS = {
  'the ledger sums to what is on hand': `
    SELECT s.sku, s.on_hand, sum(m.change) AS ledger
      FROM inventory.stock s LEFT JOIN inventory.movement m USING (sku)
     GROUP BY s.sku HAVING s.on_hand <> coalesce(sum(m.change), 0)`,

  'what is reserved is held for orders': `
    SELECT s.sku, s.reserved, sum(r.quantity) AS held
      FROM inventory.stock s LEFT JOIN inventory.reservation r ON r.sku = s.sku AND r.state = 'held'
     GROUP BY s.sku HAVING s.reserved <> coalesce(sum(r.quantity), 0)`,

  'nothing is promised that is not there': `
    SELECT sku, on_hand, reserved FROM inventory.stock WHERE reserved < 0 OR reserved > on_hand`,

  'an order has exactly the reservations that its state says': `
    WITH wanted AS (
      SELECT o.id AS order_id, l.sku, sum(l.quantity) AS quantity,
             CASE o.status WHEN 'confirmed' THEN 'held' WHEN 'cancelled' THEN 'released' ELSE 'dispatched' END AS state
        FROM orders."order" o JOIN orders.order_line l ON l.order_id = o.id
       WHERE o.status IN ('confirmed', 'cancelled', 'shipped', 'delivered')
       GROUP BY o.id, l.sku)
    SELECT order_id, sku, wanted.quantity, wanted.state, r.quantity AS reserved, r.state AS reservation
      FROM wanted FULL JOIN inventory.reservation r USING (order_id, sku)
     WHERE (wanted.quantity, wanted.state) IS DISTINCT FROM (r.quantity::bigint, r.state)`,

  'every order is settled': `SELECT id, status FROM orders."order" WHERE status = 'placed'`,

  'every change of an order has its event': `
    SELECT o.id, o.version, count(e.id) AS events
      FROM orders."order" o LEFT JOIN backbone.event e ON e.subject = 'order/' || o.id
     GROUP BY o.id HAVING o.version <> count(e.id)`,

  'the last event of an order tells its state': `
    SELECT o.id, o.status, e.type
      FROM orders."order" o LEFT JOIN backbone.event e ON e.subject = 'order/' || o.id AND e.version = o.version
     WHERE e.type IS DISTINCT FROM 'orders.order-' || o.status || '.v1'`,

  'the versions of a subject are dense, and in the order of the log': `
    SELECT subject, version, place
      FROM (SELECT subject, version, row_number() OVER (PARTITION BY subject ORDER BY position) AS place
              FROM backbone.event) e
     WHERE version <> place`,

  'an order goes only where its states let it': `
    SELECT subject, version, was, type
      FROM (SELECT subject, version, split_part(type, '.', 2) AS type,
                   coalesce(split_part(lag(type) OVER (PARTITION BY subject ORDER BY version), '.', 2), '') AS was
              FROM backbone.event WHERE subject LIKE 'order/%') e
     WHERE (was, type) NOT IN (
       ('', 'order-placed'), ('order-placed', 'order-confirmed'), ('order-placed', 'order-rejected'),
       ('order-placed', 'order-cancelled'), ('order-confirmed', 'order-cancelled'),
       ('order-confirmed', 'order-shipped'), ('order-shipped', 'order-delivered'))`,

  'nobody answers an event twice': `
    SELECT causation_id, type, subject, count(*)
      FROM backbone.event WHERE causation_id IS NOT NULL
     GROUP BY causation_id, type, subject HAVING count(*) > 1`,

  'goods leave once for each line that was sent': `
    SELECT *
      FROM (SELECT order_id::text AS order_id, sku, quantity::bigint AS reserved
              FROM inventory.reservation WHERE state = 'dispatched') r
      FULL JOIN (SELECT reason AS order_id, sku, -sum(change) AS sent
                   FROM inventory.movement WHERE kind = 'dispatch' GROUP BY reason, sku) m USING (order_id, sku)
     WHERE reserved IS DISTINCT FROM sent`,

  'every subscriber hears of an event once, in its transaction or by a delivery': `
    SELECT e.id, e.type, s.name, d.state, coalesce(heard.times, 0) AS in_transaction
      FROM backbone.event e JOIN ${SUBSCRIBERS} ON s.event = e.type AND s.retired IS NOT TRUE
      LEFT JOIN backbone.delivery d ON d.event_id = e.id AND d.subscriber = s.name
      LEFT JOIN LATERAL (
        SELECT count(*) AS times FROM jsonb_array_elements(e.metadata -> 'reactions') r
         WHERE r ->> 'subscriber' = s.name) heard ON true
     WHERE coalesce(heard.times, 0) + (d.event_id IS NOT NULL)::integer <> 1`,

  'nobody gets a delivery that is not theirs': `
    SELECT e.id, e.type, d.subscriber
      FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
      LEFT JOIN ${SUBSCRIBERS} ON s.name = d.subscriber AND s.event = e.type
     WHERE s.name IS NULL`,

  'every delivery is done': `
    SELECT event_id, subscriber, state, errors FROM backbone.delivery WHERE state <> 'done'`,

  'no delivery of a line is done before an earlier one': `
    SELECT d.order_key, d.event_id
      FROM backbone.delivery d JOIN backbone.delivery p ON p.order_key = d.order_key AND p.position < d.position
     WHERE d.finished_at < p.finished_at`,

  'every outcome is told by exactly one message, which was sent': `
    SELECT e.id, e.type, m.template, m.state
      FROM (backbone.event e JOIN ${TOLD} USING (type))
      FULL JOIN notifications.message m ON m.event_id = e.id
     WHERE m.state IS DISTINCT FROM 'sent' OR m.template IS DISTINCT FROM told.template`,

  'no event leads to two messages': `
    SELECT event_id, count(*) FROM notifications.message GROUP BY event_id HAVING count(*) > 1`,
} as const;

/** What holds besides where mails are kept in the mailbox: the mail of a message bears its event in its message id. */
export const MAILBOX_INVARIANTS = {
  'no event leads to two mails': `
    SELECT split_part(message_id, '.', 1) AS event, count(*)
      FROM notifications.mailbox_mail GROUP BY 1 HAVING count(*) > 1`,

  'every sent message is one mail, to the same recipient': `
    SELECT m.event_id, m.template, m.recipient, mail.message_id, mail.recipient AS mailed_to
      FROM (SELECT * FROM notifications.message WHERE state = 'sent') m
      FULL JOIN notifications.mailbox_mail mail
        ON split_part(mail.message_id, '@', 1) = '<' || m.event_id || '.' || m.template
     WHERE m.recipient IS DISTINCT FROM mail.recipient`,
} as const;

/** Where rows can be looked at. */
interface Rows {
  sql<Row>(statement: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** The invariants that do not hold in the database of a shop where all is quiet, each with rows that break it. */
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
