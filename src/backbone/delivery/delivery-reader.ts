import { Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { type DeliveryRef, type DeliveryState, type FailedAttempt, parseDeliveryId } from '../delivery.js';
import { isPrunedIn } from './delivery-retention.js';

/** Selects deliveries. A condition that is not given matches all. */
export interface DeliveryFilter {
  readonly ids?: readonly string[] | undefined;
  readonly state?: DeliveryState | undefined;
  readonly subscriber?: string | undefined;
  readonly subject?: string | undefined;
  readonly type?: string | undefined;
  /** Of the error of the last attempt of a dead delivery. */
  readonly fingerprint?: string | undefined;
  /** Only deliveries of events that occurred after this time … */
  readonly after?: Date | undefined;
  /** … and before this time. */
  readonly before?: Date | undefined;
}

/** The number of the first parameter after those of the filter. */
export const FIRST_PARAMETER_AFTER_FILTER = 10;

/**
 * A condition in SQL with the parameters $1 to $9, for the aliases of a delivery and of its event. The statement must
 * not be prepared: PostgreSQL plans each call with its values, so conditions that are not given cost nothing.
 */
export function filterCondition(delivery: string, event: string): string {
  return `
    (($1::uuid[] IS NULL OR ${delivery}.event_id = ANY ($1))
     AND ($2::text[] IS NULL OR ${delivery}.event_id || '.' || ${delivery}.subscriber = ANY ($2))
     AND ($3::text IS NULL OR ${delivery}.state = $3) AND ($4::text IS NULL OR ${delivery}.subscriber = $4)
     AND ($5::text IS NULL OR ${event}.subject = $5) AND ($6::text IS NULL OR ${event}.type = $6)
     AND ($7::text IS NULL OR ${delivery}.fingerprint = $7)
     AND ($8::timestamptz IS NULL OR ${event}.occurred_at > $8)
     AND ($9::timestamptz IS NULL OR ${event}.occurred_at < $9))`;
}

export function filterParameters(filter: DeliveryFilter): readonly unknown[] {
  const { ids, state, subscriber, subject, type, fingerprint, after, before } = filter;
  const eventIds = ids?.map((id) => parseDeliveryId(id).eventId);
  return [eventIds, ids, state, subscriber, subject, type, fingerprint, after, before];
}

/** The row of a delivery, with columns of its event. */
export interface StoredDelivery {
  readonly eventId: string;
  readonly subscriber: string;
  readonly type: string;
  readonly subject: string;
  readonly version: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly errors: readonly FailedAttempt[];
  readonly occurredAt: Date;
  readonly finishedAt: Date | null;
  /** The end of its lease; null when no process runs it. */
  readonly leaseUntil: Date | null;
  /** Of the error of the last attempt, when it is dead. */
  readonly fingerprint: string | null;
  /** When an operator let the later deliveries of its partition pass this dead one. */
  readonly releasedAt: Date | null;
}

/** Dead deliveries of one subscriber with the same error. */
export interface DeadGroup {
  readonly subscriber: string;
  /** Null where an older build stored the failure. */
  readonly fingerprint: string | null;
  readonly count: number;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Of the newest of these deliveries. */
  readonly eventId: string;
  readonly name: string;
  readonly message: string;
}

const SELECT = `
  SELECT d.event_id AS "eventId", d.subscriber, e.type, e.subject, e.version, d.state, d.attempts, d.errors,
         e.occurred_at AS "occurredAt", d.finished_at AS "finishedAt", d.lease_until AS "leaseUntil",
         d.fingerprint, d.released_at AS "releasedAt"
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id`;

const FIND = `${SELECT}
   WHERE ${filterCondition('d', 'e')}
     AND ($${FIRST_PARAMETER_AFTER_FILTER}::uuid IS NULL OR (d.event_id, d.subscriber) < ($${FIRST_PARAMETER_AFTER_FILTER}, $${FIRST_PARAMETER_AFTER_FILTER + 1}))
   ORDER BY d.event_id DESC, d.subscriber DESC LIMIT $${FIRST_PARAMETER_AFTER_FILTER + 2}`;

/** The error or the time may be missing in rows that were changed by hand. */
const DEAD = `
  SELECT dead.subscriber, dead.fingerprint, dead.count, dead."firstSeen", dead."lastSeen", d.event_id AS "eventId",
         coalesce(d.errors -> -1 ->> 'name', '') AS name, coalesce(d.errors -> -1 ->> 'message', '') AS message
    FROM (SELECT subscriber, fingerprint, count(*)::integer AS count, min(coalesce(finished_at, due_at)) AS "firstSeen",
                 max(coalesce(finished_at, due_at)) AS "lastSeen", max(event_id::text)::uuid AS newest
            FROM backbone.delivery WHERE state = 'dead'
           GROUP BY subscriber, fingerprint ORDER BY count DESC, subscriber, fingerprint LIMIT $1) dead
    JOIN backbone.delivery d ON d.event_id = dead.newest AND d.subscriber = dead.subscriber
   ORDER BY dead.count DESC, dead.subscriber, dead.fingerprint`;

const PRUNED = `
  SELECT e.id, array_agg(p.subscriber ORDER BY p.subscriber) AS subscribers
    FROM backbone.event e JOIN backbone.pruned_delivery p ON ${isPrunedIn('p', 'e.position')}
   WHERE e.id = ANY ($1::uuid[]) GROUP BY e.id`;

/** Reads deliveries. */
@Injectable()
export class DeliveryReader {
  constructor(private readonly database: Database) {}

  /** Sorted by event, newest first. Given the last delivery of a page, returns the next page. */
  find(
    filter: DeliveryFilter,
    limit: number,
    last?: Pick<DeliveryRef, 'eventId' | 'subscriber'>,
  ): Promise<StoredDelivery[]> {
    return this.rows(FIND, [...filterParameters(filter), last?.eventId, last?.subscriber, limit]);
  }

  /** Largest group first. */
  deadGroups(limit: number): Promise<DeadGroup[]> {
    return this.database.query<DeadGroup>(DEAD, [limit]);
  }

  ofEvents(eventIds: readonly string[]): Promise<StoredDelivery[]> {
    const sql = `${SELECT} WHERE d.event_id = ANY ($1::uuid[]) ORDER BY d.position, d.subscriber`;
    return this.rows(sql, [eventIds]);
  }

  /** The subscribers of each event whose deliveries were pruned. */
  async prunedOf(eventIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.database.query<{ id: string; subscribers: string[] }>(PRUNED, [eventIds]);
    return new Map(rows.map(({ id, subscribers }) => [id, subscribers]));
  }

  /** Times inside JSON have the session's time zone; only those in columns are converted by the driver. */
  private async rows(sql: string, parameters: readonly unknown[]): Promise<StoredDelivery[]> {
    const rows = await this.database.query<StoredDelivery>(sql, parameters);
    return rows.map((row) => ({ ...row, errors: row.errors.map(inUtc) }));
  }
}

function inUtc(failed: FailedAttempt): FailedAttempt {
  return { ...failed, at: new Date(failed.at).toISOString() };
}
