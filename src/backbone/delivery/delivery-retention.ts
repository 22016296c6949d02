import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { daysAgo, NIL_UUID, smallestIdAt } from '../../common/retention/age.js';
import type { RetentionPolicy } from '../../common/retention/retention.js';
import { BACKBONE_SETTINGS, type BackboneSettings } from '../backbone.settings.js';
import type { DeliveryRef } from '../delivery.js';

/**
 * A pruned delivery is remembered by one bit for its position in the log, in rows of so many bits. A single position
 * would not do: deliveries end out of sequence, events commit out of the sequence of their positions, and a new
 * subscriber has no deliveries from before (docs/adr/0008-pruned-deliveries-are-kept-as-bits.md).
 */
const BITS = 4_096;

/** A condition in SQL: this row of `backbone.pruned_delivery` has the bit of the delivery at a position. */
export function isPrunedIn(row: string, position: string): string {
  return `(${row}.chunk = ${position} / ${BITS} AND get_bit(${row}.bits, (${position} % ${BITS})::integer) = 1)`;
}

/** A condition in SQL: the delivery of the event at this position to this subscriber was pruned. */
export function wasPruned(position: string, subscriber: string): string {
  return `EXISTS (
    SELECT FROM backbone.pruned_delivery p WHERE ${isPrunedIn('p', position)} AND p.subscriber = ${subscriber})`;
}

const BATCH = 500;
const BIT = `set_bit(repeat('0', ${BITS})::bit(${BITS}), (position % ${BITS})::integer, 1)`;

/**
 * A delivery ends after its event, so deliveries of young events are not read. Locked rows are left for the next run.
 * Each statement reads at most as many rows as it may delete, so it is short, however many rows stay.
 */
const PRUNE = `
  WITH candidate AS MATERIALIZED (
    SELECT event_id, subscriber FROM backbone.delivery
     WHERE (event_id, subscriber) > ($2::uuid, $3) AND event_id < ${smallestIdAt(daysAgo('$1'))}
     ORDER BY event_id, subscriber LIMIT ${BATCH}
  ), ended AS (
    SELECT event_id, subscriber FROM backbone.delivery d JOIN candidate USING (event_id, subscriber)
     WHERE state IN ('done', 'skipped') AND finished_at < ${daysAgo('$1')}
     ORDER BY event_id, subscriber FOR UPDATE OF d SKIP LOCKED
  ), pruned AS (
    DELETE FROM backbone.delivery d USING ended
     WHERE d.event_id = ended.event_id AND d.subscriber = ended.subscriber
    RETURNING d.event_id, d.subscriber, d.position
  ), remembered AS (
    INSERT INTO backbone.pruned_delivery AS p (chunk, subscriber, bits)
    SELECT position / ${BITS}, subscriber, bit_or(${BIT}) FROM pruned GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (chunk, subscriber) DO UPDATE SET bits = p.bits | excluded.bits
  )
  SELECT event_id AS "eventId", subscriber, (SELECT count(*) FROM pruned)::integer AS pruned
    FROM candidate ORDER BY event_id DESC, subscriber DESC LIMIT 1`;

type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;
/** The last row that was read, and how many of the rows up to it were deleted. */
type Batch = Key & { readonly pruned: number };

/** Deletes deliveries that ended long ago. Their events stay. */
@Injectable()
export class DeliveryRetention implements RetentionPolicy {
  readonly kind = 'deliveries';
  private readonly days: number;

  constructor(
    private readonly database: Database,
    @Inject(BACKBONE_SETTINGS) { deliveryDays }: BackboneSettings,
  ) {
    this.days = deliveryDays;
  }

  /** Each batch starts where the previous one ended, and not among the rows that were just deleted. */
  async *batches(): AsyncGenerator<number> {
    if (this.days === 0) return;
    for (let last: Key | undefined = { eventId: NIL_UUID, subscriber: '' }; last; ) {
      const { eventId, subscriber }: Key = last;
      const [batch]: Batch[] = await this.database.query<Batch>(PRUNE, [this.days, eventId, subscriber]);
      yield batch?.pruned ?? 0;
      last = batch;
    }
  }
}
