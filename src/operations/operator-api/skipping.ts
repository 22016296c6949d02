import { Injectable } from '@nestjs/common';
import { type EndedRow, nextDeliveries, SELECT_NEXT } from '../../backbone/delivery/next-in-partition.js';
import { type DeliveryRef, type DeliveryState, deliveryId } from '../../backbone/delivery.js';
import { Dispatcher } from '../../backbone/queue/dispatcher.js';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit } from '../audit/audit.js';
import { DeliveryBeingHandled, DeliveryDone, DeliveryNotFound } from './operations.errors.js';

interface Found {
  readonly state: DeliveryState;
  readonly attempts: number;
  /** End of the lease of the worker that handles it; null when there is none or it has expired. */
  readonly leaseUntil: Date | null;
}

const FIND = `
  SELECT state, attempts, CASE WHEN lease_until > clock_timestamp() THEN lease_until END AS "leaseUntil"
    FROM backbone.delivery WHERE event_id = $1 AND subscriber = $2 FOR UPDATE`;

/**
 * A stalled worker whose lease has expired cannot store an end afterwards, because the delivery is not pending any
 * more.
 */
const SKIP = `
  WITH ended AS (
    UPDATE backbone.delivery
       SET state = 'skipped', lease_until = NULL, finished_at = clock_timestamp()
     WHERE event_id = $1 AND subscriber = $2
    RETURNING order_key, position, true AS frees_partition
  ) ${SELECT_NEXT}`;

/** Skips deliveries that are not to be handled. */
@Injectable()
export class DeliverySkipping {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly dispatcher: Dispatcher,
  ) {}

  /**
   * Ends the delivery and dispatches the next one of its partition. Does nothing when it is skipped already.
   * @throws {DeliveryNotFound}
   * @throws {DeliveryDone}
   * @throws {DeliveryBeingHandled}
   */
  async skip(delivery: Pick<DeliveryRef, 'eventId' | 'subscriber'>, reason: string): Promise<void> {
    const id = deliveryId(delivery);
    const key = [delivery.eventId, delivery.subscriber];
    const next = await this.database.transaction('backbone', async ({ manager }) => {
      const [found] = await queryRows<Found>(manager, FIND, key);
      if (!found) throw new DeliveryNotFound(id);
      const { state, attempts, leaseUntil } = found;
      if (state === 'done') throw new DeliveryDone(id);
      if (leaseUntil) throw new DeliveryBeingHandled(id, leaseUntil);
      if (state === 'skipped') return [];
      const states = { before: { state, attempts }, after: { state: 'skipped' } };
      await this.audit.record(manager, { action: 'skip-delivery', target: { id }, reason, ...states });
      return nextDeliveries(await queryRows<EndedRow>(manager, SKIP, key)) ?? [];
    });
    this.dispatcher.dispatch(next);
  }
}
