import type { EntityManager } from 'typeorm';
import { rowsOf } from '../database/rows-of.js';

/** More of one subscriber are not counted: a backlog that long is seen as well by the first of them. */
const COUNTED_MAX = 100_001;

/** What waits for a subscriber. */
export interface Backlog {
  readonly subscriber: string;
  readonly pending: number;
  readonly dead: number;
  /** Since the oldest event happened that it has still to hear. */
  readonly oldestSeconds: number | null;
  /** Since the oldest event happened that nobody has ever begun to handle, although it is the first in its line. */
  readonly overdueSeconds: number | null;
}

/** The first twelve digits of a UUIDv7 are the milliseconds of its moment. */
const secondsSince = (id: string): string =>
  `(extract(epoch FROM clock_timestamp())
     - ('x' || left(replace(${id}::text, '-', ''), 12))::bit(48)::bigint / 1000.0)::float8`;

/**
 * When something is due says nothing of how long it has been waiting, because the relay moves that whenever it has it
 * dispatched again. Those in a line are tried in the order of their age until one is the first.
 */
const BACKLOG = `
  WITH dead AS (
    SELECT subscriber, count(*)::integer AS dead
      FROM (SELECT subscriber FROM backbone.delivery WHERE state = 'dead' LIMIT ${COUNTED_MAX}) counted GROUP BY 1
  )
  SELECT subscriber, pending, coalesce(dead, 0) AS dead, ${secondsSince('oldest')} AS "oldestSeconds",
         ${secondsSince('untouched')} AS "overdueSeconds"
    FROM unnest($1::text[]) AS asked(subscriber)
    CROSS JOIN LATERAL (
      WITH waiting AS MATERIALIZED (
        SELECT event_id, order_key, position, claims FROM backbone.delivery
         WHERE state = 'pending' AND subscriber = asked.subscriber ORDER BY due_at LIMIT ${COUNTED_MAX}
      )
      SELECT (SELECT count(*)::integer FROM waiting) AS pending, (SELECT min(event_id::text) FROM waiting) AS oldest,
             (SELECT event_id FROM (SELECT * FROM waiting WHERE claims = 0 ORDER BY event_id OFFSET 0) d
               WHERE (SELECT true FROM backbone.delivery p
                       WHERE p.order_key = d.order_key AND p.position < d.position
                         AND p.state IN ('pending', 'dead') AND p.released_at IS NULL LIMIT 1) IS NULL
               LIMIT 1) AS untouched) counted
    LEFT JOIN dead USING (subscriber)`;

/** One entry for each of these subscribers. */
export function readBacklog(subscribers: readonly string[], manager: EntityManager): Promise<Backlog[]> {
  return rowsOf<Backlog>(manager, BACKLOG, [subscribers]);
}

/** Subscribers that are paused. */
export async function readPaused(manager: EntityManager): Promise<string[]> {
  const rows = await rowsOf<{ subscriber: string }>(manager, 'SELECT subscriber FROM backbone.paused_subscriber');
  return rows.map(({ subscriber }) => subscriber);
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
