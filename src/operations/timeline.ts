import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { z } from 'zod';
import { DeliveryReader, type StoredDelivery } from '../backbone/delivery/delivery-reader.js';
import { DELIVERY_STATES } from '../backbone/delivery.js';
import { EventReader, type StoredEvent } from '../backbone/event-reader.js';

const entry = { at: z.iso.datetime(), eventId: z.uuid() };

const eventEntry = z
  .object({
    kind: z.literal('event'),
    ...entry,
    type: z.string(),
    subject: z.string(),
    version: z.int(),
    causationId: z.string().nullable().meta({ description: 'Id of the event that caused this one' }),
    correlationId: z.string(),
    actor: z.string(),
    reactions: z
      .array(z.object({ subscriber: z.string(), ms: z.number() }))
      .meta({ description: 'Reactions that ran in the transaction of the event' }),
    pruned: z.array(z.string()).meta({
      description: 'Subscribers that handled it and whose deliveries retention has deleted',
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

/** Adds entries of a module to timelines. A provider class, listed under `timeline` in the module's declaration. */
export interface TimelineSource {
  /** Returns the entries that these events caused. */
  entriesOf(eventIds: readonly string[]): Promise<readonly TimelineEntry[]>;
}

declare module '../backbone/business-module.js' {
  interface ModuleExtensions {
    /** Entries for the timelines of subjects. */
    readonly timeline?: readonly Type<TimelineSource>[];
  }
}

/** Injects the classes of all timeline sources of this process. */
export const TIMELINE_SOURCES = Symbol('timeline sources');

/** The timeline of one subject: its events, their reactions, deliveries and messages. */
@Injectable()
export class Timeline {
  constructor(
    private readonly events: EventReader,
    private readonly deliveries: DeliveryReader,
    private readonly moduleRef: ModuleRef,
    @Inject(TIMELINE_SOURCES) private readonly sources: readonly Type<TimelineSource>[],
  ) {}

  /** Oldest entry first. */
  async of(subject: string): Promise<TimelineEntry[]> {
    const events = await this.events.historyOf(subject);
    const ids = events.map(({ id }) => id);
    const deliveries = await this.deliveries.ofEvents(ids);
    const pruned = await this.deliveries.prunedOf(ids);
    const sources = this.sources.map((type) => this.moduleRef.get(type, { strict: false }));
    const contributed = await Promise.all(sources.map((source) => source.entriesOf(ids)));
    const entries = [
      ...events.map((event) => eventEntryOf(event, pruned.get(event.id) ?? [])),
      ...deliveries.map(deliveryEntryOf),
      ...contributed.flat(),
    ];
    return entries.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  }
}

function eventEntryOf(event: StoredEvent, pruned: readonly string[]): TimelineEntry {
  const { id, occurredAt, metadata, type, subject, version, causationId, correlationId } = event;
  const at = occurredAt.toISOString();
  const { actor, reactions } = metadata;
  const details = { type, subject, version, causationId, correlationId, actor, reactions: [...reactions] };
  return { kind: 'event', at, eventId: id, ...details, pruned: [...pruned] };
}

function deliveryEntryOf({ eventId, subscriber, state, attempts, errors, ...times }: StoredDelivery): TimelineEntry {
  const finishedAt = times.finishedAt?.toISOString() ?? null;
  const at = finishedAt ?? times.occurredAt.toISOString();
  return { kind: 'delivery', at, eventId, subscriber, state, attempts, errors: [...errors], finishedAt };
}
