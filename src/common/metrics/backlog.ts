import type { EntityManager } from 'typeorm';
import { rowsOf } from '../database/database.js';

/** What waits for a subscriber. */
export interface Backlog {
  readonly subscriber: string;
  readonly pending: number;
  readonly dead: number;
  readonly isPaused: boolean;
  /** Since the oldest event happened that it has still to hear. */
  readonly oldestSeconds: number | null;
  /** How long a delivery has been due without being taken up. */
  readonly overdueSeconds: number | null;
}

/** The first twelve digits of a UUIDv7 are the milliseconds of its moment. */
const BACKLOG = `
  WITH unfinished AS (
    SELECT subscriber, count(*) FILTER (WHERE state = 'pending')::integer AS pending,
           count(*) FILTER (WHERE state = 'dead')::integer AS dead,
           min(event_id::text) FILTER (WHERE state = 'pending') AS oldest,
           min(due_at) FILTER (WHERE state = 'pending') AS due_at
      FROM backbone.delivery WHERE state IN ('pending', 'dead') GROUP BY subscriber
  )
  SELECT subscriber, coalesce(pending, 0) AS pending, coalesce(dead, 0) AS dead, since IS NOT NULL AS "isPaused",
         (extract(epoch FROM clock_timestamp())
           - ('x' || left(replace(oldest, '-', ''), 12))::bit(48)::bigint / 1000.0)::float8 AS "oldestSeconds",
         extract(epoch FROM clock_timestamp() - due_at)::float8 AS "overdueSeconds"
    FROM unfinished FULL JOIN backbone.paused_subscriber USING (subscriber)`;

/** One entry for each subscriber that has a backlog or a pause. */
export function readBacklog(manager: EntityManager): Promise<Backlog[]> {
  return rowsOf<Backlog>(manager, BACKLOG);
}

/** What the last reconciliation found, and when it was made. */
export interface Findings {
  readonly check: string;
  readonly found: number;
  readonly hasFailed: boolean;
  /** Seconds since 1970; null where it never came to an end. */
  readonly finishedAt: number | null;
}

const FINDINGS = `
  SELECT check_name AS "check", jsonb_array_length(findings) AS found, error IS NOT NULL AS "hasFailed",
         extract(epoch FROM finished_at)::float8 AS "finishedAt"
    FROM backbone.reconciliation`;

/** One entry for each check that was ever made. */
export function readFindings(manager: EntityManager): Promise<Findings[]> {
  return rowsOf<Findings>(manager, FINDINGS);
}
