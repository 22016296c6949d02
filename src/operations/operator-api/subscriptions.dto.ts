import { z } from 'zod';
import { reason } from './deliveries.dto.js';

export const subscriptionView = z
  .object({
    name: z.string(),
    event: z.string(),
    lane: z.enum(['immediate', 'later', 'side-effect']),
    line: z.string().meta({
      description: 'Ordering group; deliveries with the same group and partition key run one after the other',
    }),
    attempts: z.int(),
    backoff: z.object({ firstMs: z.int(), maxMs: z.int() }),
    timeoutMs: z.int(),
    behindDead: z.enum(['park', 'pass']),
    retired: z.boolean().meta({ description: 'Receives no new events; its pending deliveries are still handled' }),
    active: z.boolean().meta({ description: 'Its module runs in this process' }),
    pending: z.int().meta({ description: 'Counted up to 100,001' }),
    dead: z.int(),
    pausedSince: z.iso.datetime().nullable(),
    pauseReason: z.string().nullable(),
  })
  .meta({ id: 'Subscription' });
export type SubscriptionView = z.infer<typeof subscriptionView>;

export const subscriptionList = z.object({ items: z.array(subscriptionView) }).meta({ id: 'Subscriptions' });

export const pauseBody = z.strictObject({ reason }).meta({ id: 'PauseRequest' });
