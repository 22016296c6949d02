import { Injectable } from '@nestjs/common';
import { currentContext } from '../../common/context/context.js';
import type { Session } from '../../common/database/session.js';
import type { DeliveryRef } from '../delivery.js';
import type { DomainEvent } from '../domain-event.js';
import { partitionKeyOf, runsInTransaction, Subscriptions } from '../registry/subscriptions.js';

/** A reaction that ran in the publisher's transaction. */
export interface Reaction {
  readonly subscriber: string;
  readonly ms: number;
}

export interface PublishedEvent {
  readonly event: DomainEvent;
  /** The reactions that ran in its transaction. */
  readonly reactions: readonly Reaction[];
}

/** The publisher enqueues a new delivery itself; the relay does when it was not claimed within this time. */
const FIRST_DISPATCH_GRACE_MS = 5_000;

/**
 * Versions are dense, because a publisher holds the lock of the subject's row; without it, concurrent publishers
 * violate the unique key of subject and version. Rows are inserted sorted by `nr`, so positions ascend with the
 * versions of a subject.
 */
const APPEND = `
  WITH published AS (
    SELECT *
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[], $8::text[])
      WITH ORDINALITY AS e(id, type, subject, data, occurred_at, correlation_id, causation_id, metadata, nr)
  ), logged AS (
    INSERT INTO backbone.event
      (id, subject, version, type, data, occurred_at, correlation_id, causation_id, metadata)
    SELECT id, subject,
           coalesce((SELECT max(version) FROM backbone.event e WHERE e.subject = published.subject), 0)
             + row_number() OVER (PARTITION BY subject ORDER BY nr),
           type, data::jsonb, occurred_at, correlation_id, causation_id, metadata::jsonb
      FROM published
     ORDER BY nr
    RETURNING id, position
  )
  INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, due_at)
  SELECT d.event_id, d.subscriber, d.order_key, logged.position,
         clock_timestamp() + ${FIRST_DISPATCH_GRACE_MS} * interval '1 millisecond'
    FROM unnest($9::uuid[], $10::text[], $11::text[]) AS d(event_id, subscriber, order_key)
    JOIN logged ON logged.id = d.event_id`;

const EVENT_EXISTS = 'SELECT FROM backbone.event WHERE id = $2';

/** The event log: the table of all events, written in the transaction that made them true (the outbox). */
@Injectable()
export class EventLog {
  constructor(private readonly subscriptions: Subscriptions) {}

  /** Inserts events and their deliveries in one statement. Returns the deliveries to dispatch after commit. */
  append(logged: readonly PublishedEvent[], session: Session): DeliveryRef[] {
    const [first] = logged;
    if (!first) return [];
    const deliveries = logged.flatMap(({ event }) => this.deliveriesOf(event));
    const actor = currentContext()?.actor ?? 'orderly';
    const events = logged.map(({ event }) => event);
    session.send(APPEND, [
      events.map(({ id }) => id),
      events.map(({ type }) => type),
      events.map(({ subject }) => subject),
      events.map(({ data }) => JSON.stringify(data)),
      events.map(({ occurredAt }) => occurredAt),
      events.map(({ correlationId }) => correlationId),
      events.map(({ causationId }) => causationId),
      logged.map(({ reactions }) => JSON.stringify({ actor, reactions: reactions.map(rounded) })),
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ subscriber }) => subscriber),
      deliveries.map(({ partitionKey }) => partitionKey),
    ]);
    session.writtenRow = { select: EVENT_EXISTS, id: first.event.id };
    return deliveries;
  }

  private deliveriesOf(event: DomainEvent): (DeliveryRef & { readonly partitionKey: string })[] {
    return this.subscriptions
      .to(event.type)
      .filter((subscription) => !runsInTransaction(subscription))
      .map((subscription) => ({
        eventId: event.id,
        subscriber: subscription.name,
        claims: 0,
        partitionKey: partitionKeyOf(subscription, event),
      }));
  }
}

function rounded({ subscriber, ms }: Reaction): Reaction {
  return { subscriber, ms: Math.round(ms * 10) / 10 };
}
