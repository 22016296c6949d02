import type { EntityManager } from 'typeorm';
import { queryRows } from '../../common/database/query-rows.js';
import { type DeliveryRef, type DeliveryState, deliveryId } from '../delivery.js';

/** A delivery to run again, or a delivery that an event should have and that is missing. */
export interface RequeueCandidate extends DeliveryRef {
  /** The state in which it was read; null: the delivery is missing. */
  readonly state: DeliveryState | null;
  readonly position: number;
  readonly partitionKey: string;
}

type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

/**
 * Sorted, so that two replays cannot deadlock. Rows that have changed since they were read are left alone. The new
 * claim number makes older jobs ineffective, also those that wait for the end of a pause.
 */
const REQUEUE = `
  WITH unchanged AS (
    SELECT d.event_id, d.subscriber
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[]) AS c(event_id, subscriber, state, claims)
      JOIN backbone.delivery d USING (event_id, subscriber, state, claims)
     ORDER BY d.event_id, d.subscriber FOR UPDATE OF d
  )
  UPDATE backbone.delivery d
     SET state = 'pending', claims = d.claims + 1, due_at = clock_timestamp(), finished_at = NULL, released_at = NULL,
         fingerprint = NULL, attempts = CASE WHEN d.state = 'pending' THEN d.attempts ELSE 0 END
    FROM unchanged WHERE d.event_id = unchanged.event_id AND d.subscriber = unchanged.subscriber
  RETURNING d.event_id AS "eventId", d.subscriber`;

/**
 * With claim number 1: back-pressure counts deliveries that were never claimed, and a replay must not refuse new work.
 */
const ADD_MISSING = `
  INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, claims, due_at)
  SELECT event_id, subscriber, order_key, position, 1, clock_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) AS c(event_id, subscriber, order_key, position)
  ON CONFLICT DO NOTHING
  RETURNING event_id AS "eventId", subscriber`;

/** Makes deliveries pending and due, and adds missing ones. Returns those that are due now. */
export async function requeue<Candidate extends RequeueCandidate>(
  candidates: readonly Candidate[],
  manager: EntityManager,
): Promise<Candidate[]> {
  const stored = candidates.filter(({ state }) => state !== null);
  const missing = candidates.filter(({ state }) => state === null);
  const requeued = [
    ...(await queryRows<Key>(manager, REQUEUE, [...keys(stored), column(stored, 'state'), column(stored, 'claims')])),
    ...(await queryRows<Key>(manager, ADD_MISSING, [
      ...keys(missing),
      column(missing, 'partitionKey'),
      column(missing, 'position'),
    ])),
  ];
  const ids = new Set(requeued.map(deliveryId));
  return candidates.filter((candidate) => ids.has(deliveryId(candidate)));
}

function column<Field extends keyof RequeueCandidate>(
  rows: readonly RequeueCandidate[],
  field: Field,
): RequeueCandidate[Field][] {
  return rows.map((row) => row[field]);
}

function keys(rows: readonly RequeueCandidate[]): string[][] {
  return [column(rows, 'eventId'), column(rows, 'subscriber')];
}
