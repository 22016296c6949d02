import type { EntityManager } from 'typeorm';
import { rowsOf } from '../database/rows-of.js';
import type { DeliveryRef, DeliveryState } from '../events/delivery.js';
import { AFTER_FILTER, type DeliveryFilter, filterParameters, matching } from '../events/delivery-filter.js';
import type { DomainEvent } from '../events/domain-event.js';
import { wasPruned } from '../events/pruned-deliveries.js';
import { orderKeyOf, type Subscription } from '../events/subscriptions.js';

/** What a replay looks at: a delivery, or one that an event should have and has not. */
export interface Candidate extends DeliveryRef {
  readonly type: string;
  /** Null: the event owes no such delivery yet. */
  readonly state: DeliveryState | null;
  readonly position: number;
  readonly orderKey: string;
  readonly isLeased: boolean;
  readonly ranInTransaction: boolean;
  /** It ended, and so long ago that its row was deleted. */
  readonly isPruned: boolean;
}

/** Reads the candidates of a replay, some hundreds at a time. */
export type Look = (manager: EntityManager) => Promise<Batch>;

interface Batch {
  readonly candidates: readonly Candidate[];
  /** Reads the batch after this one; undefined on the last. */
  readonly next: Look | undefined;
}

const BATCH = 500;
/** Events of other types are passed over, so many at a time, however rare the one that is looked for. */
const WINDOW = 10_000;

const STATE = `
  d.state, coalesce(d.claims, 0) AS claims, coalesce(d.lease_until > clock_timestamp(), false) AS "isLeased"`;

const DELIVERIES = `
  SELECT d.event_id AS "eventId", d.subscriber, e.type, ${STATE}, d.position::float8 AS position,
         d.order_key AS "orderKey", false AS "ranInTransaction", false AS "isPruned"
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
   WHERE ${matching('d', 'e')}
     AND ($${AFTER_FILTER}::uuid IS NULL OR (d.event_id, d.subscriber) > ($${AFTER_FILTER}, $${AFTER_FILTER + 1}))
   ORDER BY d.event_id, d.subscriber LIMIT ${BATCH}`;

const END = 'SELECT coalesce(max(position), 0)::float8 AS end FROM backbone.event';

/** $1 the subscriber's name, $2 all that it has had. What it has done under any of them is done. */
const EVENTS = `
  SELECT e.id AS "eventId", coalesce(d.subscriber, $1) AS subscriber, ${STATE}, e.position::float8 AS position,
         EXISTS (SELECT FROM jsonb_array_elements(e.metadata -> 'reactions') r WHERE r ->> 'subscriber' = ANY ($2))
           AS "ranInTransaction", ${wasPruned('e.position', '$2')} AS "isPruned",
         e.id, e.type, e.subject, e.data, e.occurred_at AS "occurredAt", e.correlation_id AS "correlationId",
         e.causation_id AS "causationId"
    FROM backbone.event e
    LEFT JOIN LATERAL (
      SELECT * FROM backbone.delivery d WHERE d.event_id = e.id AND d.subscriber = ANY ($2::text[])
       ORDER BY d.state = 'done' DESC, d.subscriber = $1 DESC LIMIT 1) d ON true
   WHERE e.type = $3 AND e.position > $4 AND e.position <= least($4 + ${WINDOW}, $5)
   ORDER BY e.position LIMIT ${BATCH}`;

/** The deliveries that a filter means, in the order of their events' ids. */
export function deliveriesMatching(filter: DeliveryFilter, last?: DeliveryRef): Look {
  return async (manager) => {
    const parameters = [...filterParameters(filter), last?.eventId, last?.subscriber];
    const candidates = await rowsOf<Candidate>(manager, DELIVERIES, parameters);
    const next = candidates.length === BATCH ? deliveriesMatching(filter, candidates.at(-1)) : undefined;
    return { candidates, next };
  };
}

/** Everything that a subscriber has, or should have, heard, from the beginning of the log up to now. */
export function everythingFor(subscription: Subscription): Look {
  return async (manager) => {
    const [log] = await rowsOf<{ end: number }>(manager, END);
    return eventsFor(subscription, 0, log?.end ?? 0)(manager);
  };
}

function eventsFor(subscription: Subscription, after: number, end: number): Look {
  type Row = Omit<Candidate, 'orderKey'> & Omit<DomainEvent, 'occurredAt'> & { readonly occurredAt: Date };
  return async (manager) => {
    const { name, names, contract } = subscription;
    const rows = await rowsOf<Row>(manager, EVENTS, [name, names, contract.type, after, end]);
    const candidates = rows.map((row) => {
      const event = { ...row, occurredAt: row.occurredAt.toISOString() };
      return { ...row, orderKey: orderKeyOf(subscription, event) };
    });
    const seen = rows.length === BATCH ? Number(rows.at(-1)?.position) : after + WINDOW;
    return { candidates, next: seen < end ? eventsFor(subscription, seen, end) : undefined };
  };
}
