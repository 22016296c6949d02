import { Injectable } from '@nestjs/common';
import { type EndedRow, nextDeliveries, SELECT_NEXT } from '../../backbone/delivery/next-in-partition.js';
import { type DeliveryRef, deliveryId } from '../../backbone/delivery.js';
import { Dispatcher } from '../../backbone/queue/dispatcher.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit } from '../audit/audit.js';
import { PartitionNotParked } from './operations.errors.js';

type Key = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

/** A dead delivery for which later deliveries of its partition wait. */
export interface ParkedPartition extends Key {
  readonly subject: string;
  readonly type: string;
  readonly deadSince: Date | null;
  readonly fingerprint: string | null;
  /** Message of its last error. */
  readonly message: string;
  /** Number of pending deliveries behind it. */
  readonly waiting: number;
}

export interface Release {
  readonly subscriber: string;
  readonly subject: string;
  /** Ids of the dead deliveries for which no delivery waits any more. */
  readonly released: readonly string[];
  /** Number of deliveries that waited behind the first of them. */
  readonly waiting: number;
}

/** Counts the pending deliveries that wait for the dead one. $1: the subscribers with `behindDead: 'park'`. */
const WAITING = `
  LATERAL (
    SELECT count(*)::integer AS waiting FROM backbone.delivery w
     WHERE w.order_key = d.order_key AND w.position > d.position AND w.state = 'pending'
       AND w.subscriber = ANY ($1::text[])) behind`;

const PARKED = `
  SELECT d.event_id AS "eventId", d.subscriber, e.subject, e.type, d.finished_at AS "deadSince", d.fingerprint,
         coalesce(d.errors -> -1 ->> 'message', '') AS message, behind.waiting
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id, ${WAITING}
   WHERE d.state = 'dead' AND d.released_at IS NULL AND behind.waiting > 0
     AND ($2::uuid IS NULL OR (d.event_id, d.subscriber) < ($2, $3))
   ORDER BY d.event_id DESC, d.subscriber DESC LIMIT $4`;

const LOCK_BLOCKING = `
  SELECT d.event_id AS "eventId", d.subscriber, behind.waiting
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id, ${WAITING}
   WHERE d.subscriber = $2 AND e.subject = $3 AND d.state = 'dead' AND d.released_at IS NULL
   ORDER BY d.position FOR UPDATE OF d`;

const RELEASE = `
  WITH ended AS (
    UPDATE backbone.delivery SET released_at = clock_timestamp()
     WHERE event_id = ANY ($1::uuid[]) AND subscriber = $2
    RETURNING order_key, position, true AS frees_partition
  ) ${SELECT_NEXT}`;

/** Lists the partitions that a dead delivery parks, and releases them. */
@Injectable()
export class ParkedPartitions {
  private readonly parkingSubscribers: readonly string[];

  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly dispatcher: Dispatcher,
    subscriptions: Subscriptions,
  ) {
    this.parkingSubscribers = subscriptions.all
      .filter(({ behindDead }) => behindDead === 'park')
      .map(({ name }) => name);
  }

  /** Newest event first; only those that follow `last` in this sequence. */
  parked(limit: number, last?: Key): Promise<ParkedPartition[]> {
    return this.database.query<ParkedPartition>(PARKED, [
      this.parkingSubscribers,
      last?.eventId,
      last?.subscriber,
      limit,
    ]);
  }

  /**
   * Lets later deliveries pass the dead ones of a subscriber for a subject. The dead ones stay dead.
   * @throws {PartitionNotParked} when there is no such dead delivery
   */
  async release({ subscriber, subject }: Pick<Release, 'subscriber' | 'subject'>, reason: string): Promise<Release> {
    const { release, next } = await this.database.transaction('backbone', async ({ manager }) => {
      const parameters = [this.parkingSubscribers, subscriber, subject];
      const blocking = await queryRows<Key & { waiting: number }>(manager, LOCK_BLOCKING, parameters);
      if (blocking.length === 0) throw new PartitionNotParked(subscriber, subject);
      const waiting = Math.max(...blocking.map((each) => each.waiting));
      const release: Release = { subscriber, subject, released: blocking.map(deliveryId), waiting };
      const counts = { before: { dead: blocking.length, waiting }, after: { released: blocking.length } };
      await this.audit.record(manager, { action: 'release-line', target: { subscriber, subject }, reason, ...counts });
      const eventIds = blocking.map(({ eventId }) => eventId);
      const next = nextDeliveries(await queryRows<EndedRow>(manager, RELEASE, [eventIds, subscriber]));
      return { release, next: next ?? [] };
    });
    this.dispatcher.dispatch(next);
    return release;
  }
}
