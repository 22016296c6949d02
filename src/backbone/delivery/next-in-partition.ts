import type { DeliveryRef } from '../delivery.js';

/**
 * `|| ''` keeps PostgreSQL from using any index but the one by partition. Where its statistics say that nothing is
 * pending, it would choose the index of due deliveries, and read a backlog that has grown since then for every row.
 */
const IS_PENDING = `n.state IN ('pending', 'dead') AND n.state || '' = 'pending'`;

/**
 * For a statement whose CTE `ended` has (order_key, position, frees_partition): the next pending deliveries of these
 * partitions, so that a partition continues without waiting for the relay. Some of them may still be blocked: their
 * claims are refused.
 */
export const ENDED_AND_NEXT = `
    ended LEFT JOIN LATERAL (
      SELECT event_id, subscriber, claims FROM backbone.delivery n
       WHERE n.order_key = ended.order_key AND n.position > ended.position AND ${IS_PENDING}
       ORDER BY position FETCH FIRST ROW WITH TIES) n ON ended.frees_partition`;

export const SELECT_NEXT = `SELECT n.event_id AS "eventId", n.subscriber, n.claims FROM ${ENDED_AND_NEXT}`;

/** All columns are null where the partition has no next delivery. */
export type EndedRow = DeliveryRef | { readonly eventId: null };

/** Undefined when no delivery was ended. */
export function nextDeliveries(ended: readonly EndedRow[]): readonly DeliveryRef[] | undefined {
  if (ended.length === 0) return undefined;
  return ended.filter((row): row is DeliveryRef => row.eventId !== null);
}
