import { Injectable } from '@nestjs/common';
import { Database } from '../common/database/database.js';
import type { Reaction } from './log/event-log.js';

/** The row of an event. */
export interface StoredEvent {
  readonly id: string;
  readonly position: number;
  readonly subject: string;
  readonly version: number;
  readonly type: string;
  readonly data: unknown;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly occurredAt: Date;
  readonly metadata: { readonly actor: string; readonly reactions: readonly Reaction[] };
}

export type LastEvent = Pick<StoredEvent, 'subject' | 'version' | 'type'>;

export interface EventFilter {
  readonly subject?: string | undefined;
  readonly type?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Only events before this position. */
  readonly before?: number | undefined;
}

/** A longer chain of events belongs to a batch, too long for an operator to read. */
const CHAIN_EVENTS_MAX = 1_000;

const COLUMNS = `
  e.id, e.position::float8 AS position, e.subject, e.version, e.type, e.data, e.metadata,
  e.correlation_id AS "correlationId", e.causation_id AS "causationId", e.occurred_at AS "occurredAt"`;

/** Reads the event log. */
@Injectable()
export class EventReader {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  find({ subject, type, correlationId, before }: EventFilter, limit: number): Promise<StoredEvent[]> {
    const sql = `
      SELECT ${COLUMNS} FROM backbone.event e
       WHERE ($1::text IS NULL OR subject = $1) AND ($2::text IS NULL OR type = $2)
         AND ($3::text IS NULL OR correlation_id = $3) AND ($4::bigint IS NULL OR position < $4)
       ORDER BY position DESC LIMIT $5`;
    return this.database.query<StoredEvent>(sql, [subject, type, correlationId, before, limit]);
  }

  /** The event with the highest version of each of these subjects. */
  async lastEventsOf(subjects: readonly string[]): Promise<ReadonlyMap<string, LastEvent>> {
    const sql = `SELECT DISTINCT ON (subject) subject, version, type FROM backbone.event
                  WHERE subject = ANY ($1) ORDER BY subject, version DESC`;
    const rows = await this.database.query<LastEvent>(sql, [subjects]);
    return new Map(rows.map((row) => [row.subject, row]));
  }

  /** The events of a subject and the events that they led to, oldest first, without others of the same requests. */
  historyOf(subject: string): Promise<StoredEvent[]> {
    const sql = `
      WITH RECURSIVE candidate AS (
        SELECT * FROM backbone.event
         WHERE correlation_id IN (SELECT correlation_id FROM backbone.event WHERE subject = $1)
      ), chain AS (
        SELECT id FROM candidate WHERE subject = $1
        UNION
        SELECT candidate.id FROM candidate JOIN chain ON candidate.causation_id = chain.id
      )
      SELECT ${COLUMNS} FROM candidate e JOIN chain USING (id) ORDER BY e.position LIMIT ${CHAIN_EVENTS_MAX}`;
    return this.database.query<StoredEvent>(sql, [subject]);
  }
}
