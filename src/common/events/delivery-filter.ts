import { type DeliveryState, deliveryOf } from './delivery.js';

/** Which deliveries are meant. What is not given does not matter. */
export interface DeliveryFilter {
  readonly ids?: readonly string[] | undefined;
  readonly state?: DeliveryState | undefined;
  readonly subscriber?: string | undefined;
  readonly subject?: string | undefined;
  readonly type?: string | undefined;
  /** Of the error that it died of. */
  readonly fingerprint?: string | undefined;
  /** Their events happened after this … */
  readonly after?: Date | undefined;
  /** … and before this. */
  readonly before?: Date | undefined;
}

/** The first parameter of a statement that is not one of the filter's. */
export const AFTER_FILTER = 10;

/**
 * A condition with the parameters $1 to $9, for aliases of the delivery and of its event. PostgreSQL plans each call
 * with its values, so a condition that does not matter costs nothing and hides no index.
 */
export function matching(delivery: string, event: string): string {
  return `
    (($1::uuid[] IS NULL OR ${delivery}.event_id = ANY ($1))
     AND ($2::text[] IS NULL OR ${delivery}.event_id || '.' || ${delivery}.subscriber = ANY ($2))
     AND ($3::text IS NULL OR ${delivery}.state = $3) AND ($4::text IS NULL OR ${delivery}.subscriber = $4)
     AND ($5::text IS NULL OR ${event}.subject = $5) AND ($6::text IS NULL OR ${event}.type = $6)
     AND ($7::text IS NULL OR ${delivery}.fingerprint = $7)
     AND ($8::timestamptz IS NULL OR ${event}.occurred_at > $8)
     AND ($9::timestamptz IS NULL OR ${event}.occurred_at < $9))`;
}

export function filterParameters(filter: DeliveryFilter): readonly unknown[] {
  const { ids, state, subscriber, subject, type, fingerprint, after, before } = filter;
  const eventIds = ids?.map((id) => deliveryOf(id).eventId);
  return [eventIds, ids, state, subscriber, subject, type, fingerprint, after, before];
}
