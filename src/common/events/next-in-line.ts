import type { DeliveryRef } from './delivery.js';

/**
 * For a statement whose CTE `ended` has (order_key, position, passable): what is next in those lines, so that a chain
 * goes on without waiting for the relay. What is refused a claim, because it is not its turn, does no harm.
 */
export const ENDED_AND_NEXT = `
    ended LEFT JOIN LATERAL (
      SELECT event_id, subscriber, claims FROM backbone.delivery n
       WHERE n.order_key = ended.order_key AND n.position > ended.position AND n.state = 'pending'
       ORDER BY position FETCH FIRST ROW WITH TIES) n ON ended.passable`;

export const NEXT = `SELECT n.event_id AS "eventId", n.subscriber, n.claims FROM ${ENDED_AND_NEXT}`;

/** All null where nothing is next. */
export type EndedRow = DeliveryRef | { readonly eventId: null };

/** Undefined when nothing was ended at all. */
export function nextOf(ended: readonly EndedRow[]): readonly DeliveryRef[] | undefined {
  if (ended.length === 0) return undefined;
  return ended.filter((row): row is DeliveryRef => row.eventId !== null);
}
