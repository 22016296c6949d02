import { z } from 'zod';
import { deliveryFilter, id, reason } from './deliveries.dto.js';

const IDS_MAX = 500;

const filter = z
  .strictObject(deliveryFilter)
  .meta({ description: 'What is not given does not matter; {} means every delivery there is' });

/** How a replay is asked for. */
const order = {
  reason: reason.optional().meta({ description: 'For the audit; a preview needs none' }),
  preview: z.boolean().default(false).meta({ description: 'true: changes nothing, and says what would happen' }),
};

export const replayBody = z
  .strictObject({ ids: z.array(id).min(1).max(IDS_MAX).optional(), filter: filter.optional(), ...order })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'Give either ids or a filter')
  .meta({ id: 'ReplayRequest' });

export const subscriptionReplayBody = z.strictObject(order).meta({ id: 'SubscriptionReplayRequest' });

export const SUPPRESSIONS = [
  'done',
  'pruned',
  'ran-in-transaction',
  'being-handled',
  'paused',
  'unknown-subscriber',
  'retired-subscriber',
  'not-found',
] as const;

/** Why a replay leaves a delivery as it is. What was pruned had been done, or skipped for good. */
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Most ids and parked lines that are told one by one. */
export const SHOWN_MAX = 100;

const parkedView = z.object({
  behind: z.string().meta({ description: 'The dead delivery; it is not part of this replay' }),
  subscriber: z.string().meta({ description: "The dead delivery's" }),
  subject: z.string(),
  waiting: z.int().meta({ description: 'So many of those that run wait for it to be replayed, skipped or released' }),
});

export const replayView = z
  .object({
    preview: z.boolean().meta({ description: 'true: nothing was changed, and this is what would happen' }),
    considered: z.int().meta({ description: 'Those that run and those that are suppressed' }),
    run: z.int().meta({ description: 'Due now: the ones that were dead, skipped or missing with all their attempts' }),
    suppressed: z
      .array(z.object({ reason: z.enum(SUPPRESSIONS), count: z.int() }))
      .meta({ description: 'pruned: it ended so long ago that its row was deleted' }),
    sideEffects: z.int().meta({
      description: 'So many of those that run touch the world, and may repeat what an earlier attempt did to it',
    }),
    parked: z.array(parkedView).meta({ description: `The first ${SHOWN_MAX}` }),
    ids: z.array(z.string()).meta({ description: `The first ${SHOWN_MAX} of those that run` }),
  })
  .meta({ id: 'Replay' });

export type ReplayView = z.infer<typeof replayView>;

/** A dead delivery and how many wait behind it. */
export type Parked = z.infer<typeof parkedView>;
