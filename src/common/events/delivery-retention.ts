import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../database/database.js';
import { daysAgo, leastIdOf, NO_ID } from '../retention/age.js';
import { Pruning } from '../retention/pruning.js';
import type { DeliveryRef } from './delivery.js';
import { remember } from './pruned-deliveries.js';

const BATCH = 500;

/**
 * A delivery ends after its event, so one of a young event is not looked at. What somebody holds waits for a round. As
 * many rows are looked at as are deleted at most, so that however many have to stay, none of these statements is long.
 */
const PRUNE = `
  WITH looked_at AS MATERIALIZED (
    SELECT event_id, subscriber FROM backbone.delivery
     WHERE (event_id, subscriber) > ($2::uuid, $3) AND event_id < ${leastIdOf(daysAgo('$1'))}
     ORDER BY event_id, subscriber LIMIT ${BATCH}
  ), ended AS (
    SELECT event_id, subscriber FROM backbone.delivery d JOIN looked_at USING (event_id, subscriber)
     WHERE state IN ('done', 'skipped') AND finished_at < ${daysAgo('$1')}
     ORDER BY event_id, subscriber FOR UPDATE OF d SKIP LOCKED
  ), pruned AS (
    DELETE FROM backbone.delivery d USING ended
     WHERE d.event_id = ended.event_id AND d.subscriber = ended.subscriber
    RETURNING d.event_id, d.subscriber, d.position
  ), remembered AS (${remember('pruned')})
  SELECT event_id AS "eventId", subscriber, (SELECT count(*) FROM pruned)::integer AS pruned
    FROM looked_at ORDER BY event_id DESC, subscriber DESC LIMIT 1`;

type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;
/** The last row that was looked at, and how many of those up to it were deleted. */
type Batch = Key & { readonly pruned: number };

/** Deletes deliveries that ended long ago. Nobody waits for one of those, and their events stay. */
@Injectable()
export class DeliveryRetention {
  private readonly days: number;

  constructor(
    private readonly database: Database,
    pruning: Pruning,
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.days = retention.deliveryDays;
    if (this.days > 0) pruning.add('deliveries', () => this.batches());
  }

  /** Each batch begins where the one before it ended, and not among the rows that are only just deleted. */
  private async *batches(): AsyncGenerator<number> {
    for (let last: Key | undefined = { eventId: NO_ID, subscriber: '' }; last; ) {
      const { eventId, subscriber }: Key = last;
      const [batch]: Batch[] = await this.database.query<Batch>(PRUNE, [this.days, eventId, subscriber]);
      yield batch?.pruned ?? 0;
      last = batch;
    }
  }
}
