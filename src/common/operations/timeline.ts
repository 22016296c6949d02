import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DELIVERY_STATES } from '../events/delivery.js';
import { DeliveryReader, type StoredDelivery } from '../events/delivery-reader.js';
import { EventReader, type StoredEvent } from '../events/event-reader.js';

const entry = { at: z.iso.datetime(), eventId: z.uuid() };

const eventEntry = z
  .object({
    kind: z.literal('event'),
    ...entry,
    type: z.string(),
    subject: z.string(),
    version: z.int(),
    causationId: z.string().nullable().meta({ description: 'The event that led to this one' }),
    correlationId: z.string(),
    actor: z.string(),
    reactions: z
      .array(z.object({ subscriber: z.string(), ms: z.number() }))
      .meta({ description: 'What reacted within the same transaction' }),
    pruned: z.array(z.string()).meta({
      description: 'Subscribers that were done with it so long ago that their deliveries are deleted',
    }),
  })
  .meta({ id: 'TimelineEvent' });

const deliveryEntry = z
  .object({
    kind: z.literal('delivery'),
    ...entry,
    subscriber: z.string(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    errors: z.array(z.object({ attempt: z.int(), at: z.string(), name: z.string(), message: z.string() })),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TimelineDelivery' });

const messageEntry = z
  .object({
    kind: z.literal('message'),
    ...entry,
    template: z.string(),
    channel: z.string(),
    state: z.string(),
    attempts: z.int(),
    sentAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TimelineMessage' });

const timelineEntry = z.discriminatedUnion('kind', [eventEntry, deliveryEntry, messageEntry]);
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const timelineView = z.object({ orderId: z.uuid(), entries: z.array(timelineEntry) }).meta({ id: 'Timeline' });
export type TimelineView = z.infer<typeof timelineView>;

/** What a module has to add to the story of some events. */
export type TimelineSource = (eventIds: readonly string[]) => Promise<readonly TimelineEntry[]>;

/** The story of one thing: what happened, who reacted, what was delivered and sent because of it. */
@Injectable()
export class Timeline {
  private readonly sources: TimelineSource[] = [];

  constructor(
    private readonly events: EventReader,
    private readonly deliveries: DeliveryReader,
  ) {}

  addSource(source: TimelineSource): void {
    this.sources.push(source);
  }

  /** Oldest first. */
  async of(subject: string): Promise<TimelineEntry[]> {
    const events = await this.events.storyOf(subject);
    const ids = events.map(({ id }) => id);
    const deliveries = await this.deliveries.ofEvents(ids);
    const pruned = await this.deliveries.prunedOf(ids);
    const added = await Promise.all(this.sources.map((source) => source(ids)));
    const entries = [
      ...events.map((event) => eventOf(event, pruned.get(event.id) ?? [])),
      ...deliveries.map(deliveryOf),
      ...added.flat(),
    ];
    return entries.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  }
}

function eventOf(event: StoredEvent, pruned: readonly string[]): TimelineEntry {
  const { id, occurredAt, metadata, type, subject, version, causationId, correlationId } = event;
  const at = occurredAt.toISOString();
  const { actor, reactions } = metadata;
  const told = { type, subject, version, causationId, correlationId, actor, reactions: [...reactions] };
  return { kind: 'event', at, eventId: id, ...told, pruned: [...pruned] };
}

function deliveryOf({ eventId, subscriber, state, attempts, errors, ...times }: StoredDelivery): TimelineEntry {
  const finishedAt = times.finishedAt?.toISOString() ?? null;
  const at = finishedAt ?? times.occurredAt.toISOString();
  return { kind: 'delivery', at, eventId, subscriber, state, attempts, errors: [...errors], finishedAt };
}
