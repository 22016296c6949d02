import type { EntityManager } from 'typeorm';
import {
  type DeliveryFilter,
  FIRST_PARAMETER_AFTER_FILTER,
  filterCondition,
  filterParameters,
} from '../../backbone/delivery/delivery-reader.js';
import { wasPruned } from '../../backbone/delivery/delivery-retention.js';
import type { RequeueCandidate } from '../../backbone/delivery/requeue.js';
import type { DeliveryRef } from '../../backbone/delivery.js';
import type { DomainEvent } from '../../backbone/domain-event.js';
import { partitionKeyOf, type Subscription } from '../../backbone/registry/subscriptions.js';
import { queryRows } from '../../common/database/query-rows.js';

/** A delivery that a replay considers: a row, or one that is missing (`state` is null). */
export interface Candidate extends RequeueCandidate {
  readonly type: string;
  readonly isLeased: boolean;
  readonly ranInTransaction: boolean;
  /** Retention has deleted its row after it ended. */
  readonly isPruned: boolean;
}

/** Reads the candidates of a replay, some hundreds at a time. */
export type ReadBatch = (manager: EntityManager) => Promise<Batch>;

interface Batch {
  readonly candidates: readonly Candidate[];
  /** Reads the batch after this one; undefined on the last. */
  readonly next: ReadBatch | undefined;
}

const BATCH_SIZE = 500;
/** Positions of the log that one statement reads at most, so that it is short however rare the wanted type is. */
const WINDOW = 10_000;

const STATE = `
  d.state, coalesce(d.claims, 0) AS claims, coalesce(d.lease_until > clock_timestamp(), false) AS "isLeased"`;

const DELIVERIES = `
  SELECT d.event_id AS "eventId", d.subscriber, e.type, ${STATE}, d.position::float8 AS position,
         d.order_key AS "partitionKey", false AS "ranInTransaction", false AS "isPruned"
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
   WHERE ${filterCondition('d', 'e')}
     AND ($${FIRST_PARAMETER_AFTER_FILTER}::uuid IS NULL OR (d.event_id, d.subscriber) > ($${FIRST_PARAMETER_AFTER_FILTER}, $${FIRST_PARAMETER_AFTER_FILTER + 1}))
   ORDER BY d.event_id, d.subscriber LIMIT ${BATCH_SIZE}`;

const END = 'SELECT coalesce(max(position), 0)::float8 AS end FROM backbone.event';

/** $1: the subscriber, $2: its event type, $3 and $4: the positions between which the log is read. */
const EVENTS = `
  SELECT e.id AS "eventId", $1 AS subscriber, ${STATE}, e.position::float8 AS position,
         EXISTS (SELECT FROM jsonb_array_elements(e.metadata -> 'reactions') r WHERE r ->> 'subscriber' = $1)
           AS "ranInTransaction", ${wasPruned('e.position', '$1')} AS "isPruned",
         e.id, e.type, e.subject, e.data, e.occurred_at AS "occurredAt", e.correlation_id AS "correlationId",
         e.causation_id AS "causationId"
    FROM backbone.event e
    LEFT JOIN backbone.delivery d ON d.event_id = e.id AND d.subscriber = $1
   WHERE e.type = $2 AND e.position > $3 AND e.position <= least($3 + ${WINDOW}, $4)
   ORDER BY e.position LIMIT ${BATCH_SIZE}`;

/** The deliveries that match a filter, sorted by event id. */
export function deliveriesMatching(filter: DeliveryFilter, last?: DeliveryRef): ReadBatch {
  return async (manager) => {
    const parameters = [...filterParameters(filter), last?.eventId, last?.subscriber];
    const candidates = await queryRows<Candidate>(manager, DELIVERIES, parameters);
    const next = candidates.length === BATCH_SIZE ? deliveriesMatching(filter, candidates.at(-1)) : undefined;
    return { candidates, next };
  };
}

/** All events of the type of a subscriber, from the beginning of the log to its present end. */
export function allEventsFor(subscription: Subscription): ReadBatch {
  return async (manager) => {
    const [log] = await queryRows<{ end: number }>(manager, END);
    return eventsFor(subscription, 0, log?.end ?? 0)(manager);
  };
}

function eventsFor(subscription: Subscription, after: number, end: number): ReadBatch {
  type Row = Omit<Candidate, 'partitionKey'> & Omit<DomainEvent, 'occurredAt'> & { readonly occurredAt: Date };
  return async (manager) => {
    const { name, contract } = subscription;
    const rows = await queryRows<Row>(manager, EVENTS, [name, contract.type, after, end]);
    const candidates = rows.map((row) => {
      const event = { ...row, occurredAt: row.occurredAt.toISOString() };
      return { ...row, partitionKey: partitionKeyOf(subscription, event) };
    });
    const readTo = rows.length === BATCH_SIZE ? Number(rows.at(-1)?.position) : after + WINDOW;
    return { candidates, next: readTo < end ? eventsFor(subscription, readTo, end) : undefined };
  };
}
