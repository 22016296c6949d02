import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../database/database.js';
import { daysAgo, leastIdOf, NO_ID } from '../retention/age.js';
import { Pruning } from '../retention/pruning.js';
import type { DeliveryRef } from './delivery.js';
import { remember } from './pruned-deliveries.js';

const BATCH = 500;

/** A delivery ends after its event, so one of a young event is not looked at. What somebody holds waits for a round. */
const PRUNE = `
  WITH ended AS (
    SELECT event_id, subscriber FROM backbone.delivery
     WHERE (event_id, subscriber) > ($2::uuid, $3) AND event_id < ${leastIdOf(daysAgo('$1'))}
       AND state IN ('done', 'skipped') AND finished_at < ${daysAgo('$1')}
     ORDER BY event_id, subscriber LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
  ), pruned AS (
    DELETE FROM backbone.delivery d USING ended
     WHERE d.event_id = ended.event_id AND d.subscriber = ended.subscriber
    RETURNING d.event_id, d.subscriber, d.position
  ), remembered AS (${remember('pruned')})
  SELECT event_id AS "eventId", subscriber FROM pruned ORDER BY event_id, subscriber`;

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
    type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;
    for (let last: Key | undefined = { eventId: NO_ID, subscriber: '' }; last; ) {
      const { eventId, subscriber }: Key = last;
      const pruned: Key[] = await this.database.query<Key>(PRUNE, [this.days, eventId, subscriber]);
      yield pruned.length;
      last = pruned.length === BATCH ? pruned.at(-1) : undefined;
    }
  }
}
