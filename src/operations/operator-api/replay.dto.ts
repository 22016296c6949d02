import { z } from 'zod';
import { deliveryId } from '../../backbone/delivery.js';
import { deliveryFilter, id, reason } from './deliveries.dto.js';
import type { Candidate } from './replay-candidates.js';

const IDS_MAX = 500;

const filter = z
  .strictObject(deliveryFilter)
  .meta({ description: 'A field that is not given selects all; {} selects every delivery' });

const options = {
  reason: reason.optional().meta({ description: 'For the audit; not needed for a preview' }),
  preview: z.boolean().default(false).meta({ description: 'true: changes nothing, and returns what would happen' }),
};

export const replayBody = z
  .strictObject({ ids: z.array(id).min(1).max(IDS_MAX).optional(), filter: filter.optional(), ...options })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'Give either ids or a filter')
  .meta({ id: 'ReplayRequest' });

export const subscriptionReplayBody = z.strictObject(options).meta({ id: 'SubscriptionReplayRequest' });

const SUPPRESSIONS = [
  'done',
  'pruned',
  'ran-in-transaction',
  'being-handled',
  'paused',
  'unknown-subscriber',
  'retired-subscriber',
  'not-found',
] as const;

/** Why a replay does not change a delivery. A pruned delivery was done or skipped before retention deleted its row. */
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Ids and parked partitions that a response lists at most. */
const SHOWN_MAX = 100;

const parkedView = z.object({
  behind: z.string().meta({ description: 'The dead delivery, which this replay does not include' }),
  subscriber: z.string().meta({ description: 'Subscriber of the dead delivery' }),
  subject: z.string(),
  waiting: z
    .int()
    .meta({ description: 'Number of replayed deliveries that wait until it is replayed, skipped or released' }),
});

export const replayView = z
  .object({
    preview: z.boolean().meta({ description: 'true: nothing was changed; the fields show what would happen' }),
    considered: z.int().meta({ description: 'Number of deliveries that run or are suppressed' }),
    run: z.int().meta({
      description: 'Number of deliveries that are due now; dead, skipped and missing ones with all their attempts',
    }),
    suppressed: z.array(z.object({ reason: z.enum(SUPPRESSIONS), count: z.int() })).meta({
      description:
        'Deliveries that the replay does not change, by reason; pruned: it ended, and retention deleted its row',
    }),
    sideEffects: z.int().meta({
      description: 'Number of deliveries that run a side effect, which may repeat the effect of an earlier attempt',
    }),
    parked: z.array(parkedView).meta({ description: `The partitions that stay parked; at most ${SHOWN_MAX}` }),
    ids: z.array(z.string()).meta({ description: `The deliveries that run; at most ${SHOWN_MAX}` }),
  })
  .meta({ id: 'Replay' });

export type ReplayView = z.infer<typeof replayView>;

/** A dead delivery, and the number of replayed deliveries behind it. */
export type Parked = z.infer<typeof parkedView>;

/** Counts what a replay does, or would do, batch by batch, and makes its view. */
export class ReplayTally {
  private run = 0;
  private sideEffects = 0;
  private readonly ids: string[] = [];
  private readonly suppressed = new Map<Suppression, number>();
  private readonly parked = new Map<string, Parked>();
  private readonly states = new Map<string, number>();

  suppress(reason: Suppression, count = 1): void {
    if (count > 0) this.suppressed.set(reason, (this.suppressed.get(reason) ?? 0) + count);
  }

  add(candidate: Candidate, isSideEffect: boolean): void {
    const state = candidate.state ?? 'missing';
    this.run += 1;
    if (isSideEffect) this.sideEffects += 1;
    if (this.ids.length < SHOWN_MAX) this.ids.push(deliveryId(candidate));
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
  }

  addParked(parked: Parked): void {
    const waiting = parked.waiting + (this.parked.get(parked.behind)?.waiting ?? 0);
    if (waiting > parked.waiting || this.parked.size < SHOWN_MAX)
      this.parked.set(parked.behind, { ...parked, waiting });
  }

  get considered(): number {
    return [...this.suppressed.values()].reduce((sum, count) => sum + count, this.run);
  }

  /** Counts for the audit: states before, states after. */
  get counts() {
    return { before: Object.fromEntries(this.states), after: { pending: this.run } };
  }

  view(preview: boolean): ReplayView {
    const { considered, run, sideEffects, ids } = this;
    const suppressed = SUPPRESSIONS.map((reason) => ({ reason, count: this.suppressed.get(reason) ?? 0 }));
    const counted = { considered, run, suppressed: suppressed.filter(({ count }) => count > 0) };
    return { preview, ...counted, sideEffects, parked: [...this.parked.values()], ids };
  }
}
