import type { DeliveryRef } from '../delivery.js';

/**
 * Written so that only the index over lines can serve it. Where PostgreSQL believes that nothing waits, it would take the
 * one over all that is due, and walk through a backlog that has come since then for every row.
 */
const IS_PENDING = `n.state IN ('pending', 'dead') AND n.state || '' = 'pending'`;

/**
 * For a statement whose CTE `ended` has (order_key, position, passable): what is next in those lines, so that a chain
 * goes on without waiting for the relay. What is refused a claim, because it is not its turn, does no harm.
 */
export const ENDED_AND_NEXT = `
    ended LEFT JOIN LATERAL (
      SELECT event_id, subscriber, claims FROM backbone.delivery n
       WHERE n.order_key = ended.order_key AND n.position > ended.position AND ${IS_PENDING}
       ORDER BY position FETCH FIRST ROW WITH TIES) n ON ended.passable`;

export const NEXT = `SELECT n.event_id AS "eventId", n.subscriber, n.claims FROM ${ENDED_AND_NEXT}`;

/** All null where nothing is next. */
export type EndedRow = DeliveryRef | { readonly eventId: null };

/** Undefined when nothing was ended at all. */
export function nextDeliveries(ended: readonly EndedRow[]): readonly DeliveryRef[] | undefined {
  if (ended.length === 0) return undefined;
  return ended.filter((row): row is DeliveryRef => row.eventId !== null);
}
