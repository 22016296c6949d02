import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type DeliveryState, type FailedAttempt } from './delivery.js';

/** A delivery as its row holds it. */
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
  /** Until when the process that runs it has it; null when none does. */
  readonly leaseUntil: Date | null;
}

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly subscriber?: string | undefined;
  readonly subject?: string | undefined;
  readonly before?: { readonly eventId: string; readonly subscriber: string } | undefined;
}

export interface Backlog {
  readonly subscriber: string;
  readonly pending: number;
  readonly dead: number;
}

const SELECT = `
  SELECT d.event_id AS "eventId", d.subscriber, e.type, e.subject, e.version, d.state, d.attempts, d.errors,
         e.occurred_at AS "occurredAt", d.finished_at AS "finishedAt", d.lease_until AS "leaseUntil"
    FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id`;

/** Looks at deliveries. */
@Injectable()
export class DeliveryReader {
  constructor(private readonly database: Database) {}

  /** Newest event first. */
  find({ state, subscriber, subject, before }: DeliveryFilter, limit: number): Promise<StoredDelivery[]> {
    const sql = `${SELECT}
       WHERE ($1::text IS NULL OR d.state = $1) AND ($2::text IS NULL OR d.subscriber = $2)
         AND ($3::text IS NULL OR e.subject = $3)
         AND ($4::uuid IS NULL OR (d.event_id, d.subscriber) < ($4, $5))
       ORDER BY d.event_id DESC, d.subscriber DESC LIMIT $6`;
    const parameters = [state, subscriber, subject, before?.eventId, before?.subscriber, limit];
    return this.rows(sql, parameters);
  }

  ofEvents(eventIds: readonly string[]): Promise<StoredDelivery[]> {
    const sql = `${SELECT} WHERE d.event_id = ANY ($1::uuid[]) ORDER BY d.position, d.subscriber`;
    return this.rows(sql, [eventIds]);
  }

  /** What each subscriber still has to do. */
  backlog(): Promise<Backlog[]> {
    return this.database.query<Backlog>(`
      SELECT subscriber, count(*) FILTER (WHERE state = 'pending')::integer AS pending,
             count(*) FILTER (WHERE state = 'dead')::integer AS dead
        FROM backbone.delivery WHERE state IN ('pending', 'dead') GROUP BY subscriber`);
  }

  /** Times in JSON come in the session's time zone; in rows the driver takes care of them. */
  private async rows(sql: string, parameters: readonly unknown[]): Promise<StoredDelivery[]> {
    const rows = await this.database.query<StoredDelivery>(sql, parameters);
    return rows.map((row) => ({ ...row, errors: row.errors.map(inUtc) }));
  }
}

function inUtc(failed: FailedAttempt): FailedAttempt {
  return { ...failed, at: new Date(failed.at).toISOString() };
}
