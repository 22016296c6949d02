/** A delivery that may be run: which one, and how often it has been claimed so far. */
export interface DeliveryRef {
  readonly eventId: string;
  readonly subscriber: string;
  /** A job for an older claim finds the number changed and does nothing. */
  readonly claims: number;
}

export const DELIVERY_STATES = ['pending', 'done', 'dead', 'skipped'] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The history of a delivery: one entry for every attempt that failed. */
export interface FailedAttempt {
  readonly attempt: number;
  /** ISO 8601, by the database's clock. */
  readonly at: string;
  readonly name: string;
  readonly message: string;
}

/** One delivery's public name: its event and its subscriber. */
export function deliveryId({ eventId, subscriber }: Pick<DeliveryRef, 'eventId' | 'subscriber'>): string {
  return `${eventId}.${subscriber}`;
}

/** One run of a delivery: no other one has this name. */
export function claimId(ref: DeliveryRef): string {
  return `${deliveryId(ref)}.${ref.claims}`;
}

/** What a delivery's public name looks like. */
export const DELIVERY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+\.[A-Za-z_]\w*$/;

/** The delivery behind a public name. */
export function parseDeliveryId(id: string): Pick<DeliveryRef, 'eventId' | 'subscriber'> {
  const dot = id.indexOf('.');
  return { eventId: id.slice(0, dot), subscriber: id.slice(dot + 1) };
}
