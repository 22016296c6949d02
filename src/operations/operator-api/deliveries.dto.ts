import { z } from 'zod';
import type { DeadGroup, StoredDelivery } from '../../backbone/delivery/delivery-reader.js';
import { DELIVERY_ID, DELIVERY_STATES, deliveryId } from '../../backbone/delivery.js';
import { isoTime, text } from '../../common/http/fields.js';
import { pageQuery } from '../../common/http/pagination.js';
import type { ParkedPartition } from './parked-partitions.js';

/** The reason of an operator's action, for the audit. */
export const reason = text(500).meta({ example: 'The mail server is back' });

export const subscriber = text(100).meta({
  description: 'Module and method, as in /v1/operations/subscriptions',
  example: 'notifications.emailConfirmation',
});

const subject = text(200).meta({ description: 'The subject of the events', example: 'stock/DEMO-TEA' });

export const id = z
  .string()
  .regex(DELIVERY_ID, 'Give the id of a delivery: the id of its event, a dot, and the name of its subscriber')
  .meta({ example: '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b.notifications.emailConfirmation' });

/** Selects deliveries. A field that is not given selects all. */
export const deliveryFilter = {
  state: z.enum(DELIVERY_STATES).optional(),
  subscriber: text(100).optional().meta({ description: 'e.g. `notifications.emailConfirmation`' }),
  subject: text(200).optional().meta({ description: 'Subject of the event, e.g. `order/0192…`' }),
  type: text(200).optional().meta({ description: 'Type of the event, e.g. `orders.order-placed.v1`' }),
  fingerprint: text(64).optional().meta({ description: 'Fingerprint of the error of its last attempt' }),
  after: isoTime.optional().meta({ description: 'The event occurred after this time' }),
  before: isoTime.optional().meta({ description: 'The event occurred before this time' }),
};

export const deliveryQuery = z.strictObject({ ...deliveryFilter, ...pageQuery });
export const parkedQuery = z.strictObject(pageQuery);
export const skipBody = z.strictObject({ reason }).meta({ id: 'SkipRequest' });
export const releaseBody = z.strictObject({ subscriber, subject, reason }).meta({ id: 'ReleaseRequest' });

export const deliveryView = z
  .object({
    id: z.string(),
    eventId: z.uuid(),
    subscriber: z.string(),
    type: z.string(),
    subject: z.string(),
    version: z.int(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int().meta({ description: 'Since the event was published, or the delivery was replayed' }),
    errors: z
      .array(z.object({ attempt: z.int(), at: z.string(), name: z.string(), message: z.string() }))
      .meta({ description: 'One for each failed attempt' }),
    fingerprint: z.string().nullable().meta({ description: 'Equal for dead deliveries with the same cause' }),
    occurredAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    leaseUntil: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'End of the lease while a worker handles the delivery' }),
    releasedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Since then later deliveries do not wait for it, although it is dead' }),
  })
  .meta({ id: 'Delivery' });

export const deadGroupView = z
  .object({
    subscriber: z.string(),
    fingerprint: z.string().nullable().meta({ description: 'Replays the whole group when it is given as a filter' }),
    count: z.int(),
    firstSeen: z.iso.datetime(),
    lastSeen: z.iso.datetime(),
    example: z
      .object({ id: z.string(), name: z.string(), message: z.string() })
      .meta({ description: 'The newest delivery of the group, and its last error' }),
  })
  .meta({ id: 'DeadGroup' });

export const deadGroupList = z.object({ items: z.array(deadGroupView) }).meta({ id: 'DeadGroups' });

export const parkedView = z
  .object({
    id: z.string().meta({ description: 'The dead delivery for which the others wait' }),
    subscriber: z.string(),
    subject: z.string(),
    type: z.string(),
    deadSince: z.iso.datetime().nullable(),
    fingerprint: z.string().nullable(),
    message: z.string().meta({ description: 'Message of its last error' }),
    waiting: z.int().meta({ description: 'Deliveries that wait behind it' }),
  })
  .meta({ id: 'ParkedLine' });

export const releaseView = z
  .object({
    subscriber: z.string(),
    subject: z.string(),
    released: z.array(z.string()).meta({ description: 'The dead deliveries for which no delivery waits any more' }),
    waiting: z.int().meta({ description: 'Deliveries that waited behind them' }),
  })
  .meta({ id: 'Release' });

export function deliveryViewOf(delivery: StoredDelivery): z.infer<typeof deliveryView> {
  const { errors, occurredAt, finishedAt, leaseUntil, releasedAt, ...rest } = delivery;
  return {
    id: deliveryId(delivery),
    ...rest,
    errors: [...errors],
    occurredAt: occurredAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    leaseUntil: leaseUntil?.toISOString() ?? null,
    releasedAt: releasedAt?.toISOString() ?? null,
  };
}

export function deadGroupViewOf(group: DeadGroup): z.infer<typeof deadGroupView> {
  const { subscriber, fingerprint, count, firstSeen, lastSeen, name, message } = group;
  const example = { id: deliveryId(group), name, message };
  const seen = { firstSeen: firstSeen.toISOString(), lastSeen: lastSeen.toISOString() };
  return { subscriber, fingerprint, count, ...seen, example };
}

export function parkedViewOf({ eventId, deadSince, ...rest }: ParkedPartition): z.infer<typeof parkedView> {
  return { id: deliveryId({ eventId, ...rest }), ...rest, deadSince: deadSince?.toISOString() ?? null };
}
