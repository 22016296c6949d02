import type { EntityManager } from 'typeorm';
import { rowsOf } from '../database/database.js';
import { type DeliveryRef, deliveryId } from '../events/delivery.js';
import type { Candidate } from './replay-candidates.js';

type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

/**
 * Locks in one order, so that two replays cannot wait for each other, and changes what is still as it was seen. With
 * another number of claims, a job that waits for the end of a pause is passed over.
 */
const RENEW = `
  WITH seen AS (
    SELECT d.event_id, d.subscriber
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[]) AS c(event_id, subscriber, state, claims)
      JOIN backbone.delivery d USING (event_id, subscriber, state, claims)
     ORDER BY d.event_id, d.subscriber FOR UPDATE OF d
  )
  UPDATE backbone.delivery d
     SET state = 'pending', claims = d.claims + 1, due_at = clock_timestamp(), finished_at = NULL, released_at = NULL,
         fingerprint = NULL, attempts = CASE WHEN d.state = 'pending' THEN d.attempts ELSE 0 END
    FROM seen WHERE d.event_id = seen.event_id AND d.subscriber = seen.subscriber
  RETURNING d.event_id AS "eventId", d.subscriber`;

/** An operator has taken them up already, as it were, so they are no sign that the shop cannot keep up. */
const CATCH_UP = `
  INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, claims, due_at)
  SELECT event_id, subscriber, order_key, position, 1, clock_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) AS c(event_id, subscriber, order_key, position)
  ON CONFLICT DO NOTHING
  RETURNING event_id AS "eventId", subscriber`;

/** Those of them that are due from now on. */
export async function renew(candidates: readonly Candidate[], manager: EntityManager): Promise<Candidate[]> {
  const stored = candidates.filter(({ state }) => state !== null);
  const missing = candidates.filter(({ state }) => state === null);
  const renewed = [
    ...(await rowsOf<Key>(manager, RENEW, [...keys(stored), column(stored, 'state'), column(stored, 'claims')])),
    ...(await rowsOf<Key>(manager, CATCH_UP, [
      ...keys(missing),
      column(missing, 'orderKey'),
      column(missing, 'position'),
    ])),
  ];
  const ids = new Set(renewed.map(deliveryId));
  return candidates.filter((candidate) => ids.has(deliveryId(candidate)));
}

function column<Field extends keyof Candidate>(rows: readonly Candidate[], field: Field): Candidate[Field][] {
  return rows.map((row) => row[field]);
}

function keys(rows: readonly Candidate[]): string[][] {
  return [column(rows, 'eventId'), column(rows, 'subscriber')];
}
