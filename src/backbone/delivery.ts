/** A delivery, and how often it has been claimed so far. */
export interface DeliveryRef {
  readonly eventId: string;
  readonly subscriber: string;
  /** The claim number, a fencing token: a job with an older number has no effect. */
  readonly claims: number;
}

export const DELIVERY_STATES = ['pending', 'done', 'dead', 'skipped'] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A failed attempt, in the history of its delivery. */
export interface FailedAttempt {
  readonly attempt: number;
  /** ISO 8601, by the database's clock. */
  readonly at: string;
  readonly name: string;
  readonly message: string;
}

/** The public id of a delivery: its event and its subscriber. */
export function deliveryId({ eventId, subscriber }: Pick<DeliveryRef, 'eventId' | 'subscriber'>): string {
  return `${eventId}.${subscriber}`;
}

/** Identifies one claim of a delivery. */
export function claimId(ref: DeliveryRef): string {
  return `${deliveryId(ref)}.${ref.claims}`;
}

/** The pattern of the public id of a delivery. */
export const DELIVERY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+\.[A-Za-z_]\w*$/;

/** Splits the public id of a delivery. */
export function parseDeliveryId(id: string): Pick<DeliveryRef, 'eventId' | 'subscriber'> {
  const dot = id.indexOf('.');
  return { eventId: id.slice(0, dot), subscriber: id.slice(dot + 1) };
}
