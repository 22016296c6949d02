import { z } from 'zod';
import type { DeadGroup, StoredDelivery } from '../../backbone/delivery/delivery-reader.js';
import { DELIVERY_ID, DELIVERY_STATES, deliveryId } from '../../backbone/delivery.js';
import { isoTime, text } from '../../common/http/fields.js';
import { pageQuery } from '../../common/http/pagination.js';
import type { ParkedPartition } from './parked-partitions.js';

/** Why an operator does something. */
export const reason = text(500).meta({ example: 'The mail server is back' });

export const subscriber = text(100).meta({
  description: 'Module and method, as in /v1/operations/subscriptions',
  example: 'notifications.emailConfirmation',
});

const subject = text(200).meta({ description: 'What its event is about', example: 'stock/DEMO-TEA' });

export const id = z
  .string()
  .regex(DELIVERY_ID, 'Give the id of a delivery: the id of its event, a dot, and the name of its subscriber')
  .meta({ example: '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b.notifications.emailConfirmation' });

/** Which deliveries are meant; what is not given does not matter. */
export const deliveryFilter = {
  state: z.enum(DELIVERY_STATES).optional(),
  subscriber: text(100).optional().meta({ description: 'e.g. `notifications.emailConfirmation`' }),
  subject: text(200).optional().meta({ description: 'What its event is about, e.g. `order/0192…`' }),
  type: text(200).optional().meta({ description: 'Of its event, e.g. `orders.order-placed.v1`' }),
  fingerprint: text(64).optional().meta({ description: 'Of the error that it died of' }),
  after: isoTime.optional().meta({ description: 'Its event happened after this' }),
  before: isoTime.optional().meta({ description: 'Its event happened before this' }),
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
    attempts: z.int().meta({ description: 'Since it was published, or replayed' }),
    errors: z
      .array(z.object({ attempt: z.int(), at: z.string(), name: z.string(), message: z.string() }))
      .meta({ description: 'One for every attempt that failed' }),
    fingerprint: z.string().nullable().meta({ description: 'The same for all that died of the same' }),
    occurredAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    leaseUntil: z.iso.datetime().nullable().meta({ description: 'Being handled until then at the latest' }),
    releasedAt: z.iso.datetime().nullable().meta({ description: 'Since then it holds up nobody, although it is dead' }),
  })
  .meta({ id: 'Delivery' });

export const deadGroupView = z
  .object({
    subscriber: z.string(),
    fingerprint: z.string().nullable().meta({ description: 'Replay the whole group by it' }),
    count: z.int(),
    firstSeen: z.iso.datetime(),
    lastSeen: z.iso.datetime(),
    example: z
      .object({ id: z.string(), name: z.string(), message: z.string() })
      .meta({ description: 'The newest of them, and the error that it died of' }),
  })
  .meta({ id: 'DeadGroup' });

export const deadGroupList = z.object({ items: z.array(deadGroupView) }).meta({ id: 'DeadGroups' });

export const parkedView = z
  .object({
    id: z.string().meta({ description: 'The dead delivery that holds up the others' }),
    subscriber: z.string(),
    subject: z.string(),
    type: z.string(),
    deadSince: z.iso.datetime().nullable(),
    fingerprint: z.string().nullable(),
    message: z.string().meta({ description: 'Of the error that it died of' }),
    waiting: z.int().meta({ description: 'Deliveries that wait behind it' }),
  })
  .meta({ id: 'ParkedLine' });

export const releaseView = z
  .object({
    subscriber: z.string(),
    subject: z.string(),
    released: z.array(z.string()).meta({ description: 'The dead deliveries that hold up nobody any more' }),
    waiting: z.int().meta({ description: 'Deliveries that waited behind them' }),
  })
  .meta({ id: 'Release' });

export function viewOf(delivery: StoredDelivery): z.infer<typeof deliveryView> {
  const { errors, occurredAt, finishedAt, leaseUntil, releasedAt, ...told } = delivery;
  return {
    id: deliveryId(delivery),
    ...told,
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

export function parkedViewOf({ eventId, deadSince, ...line }: ParkedPartition): z.infer<typeof parkedView> {
  return { id: deliveryId({ eventId, ...line }), ...line, deadSince: deadSince?.toISOString() ?? null };
}
