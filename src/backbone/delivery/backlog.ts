import type { EntityManager } from 'typeorm';
import { queryRows } from '../../common/database/query-rows.js';

/** No more pending deliveries of one subscriber are counted: counting takes time in proportion. */
const COUNTED_MAX = 100_001;

/** How many deliveries of a subscriber are not done. */
export interface UnfinishedCount {
  readonly subscriber: string;
  /** At most `COUNTED_MAX`. */
  readonly pending: number;
  readonly dead: number;
}

export interface Backlog extends UnfinishedCount {
  /** Age of the oldest event with a pending delivery. */
  readonly oldestSeconds: number | null;
  /** Age of the oldest event that no process has claimed yet although its delivery is the first of its partition. */
  readonly overdueSeconds: number | null;
}

const DEAD = `
  dead AS (
    SELECT subscriber, count(*)::integer AS dead FROM backbone.delivery WHERE state = 'dead' GROUP BY subscriber
  )`;

const UNFINISHED = `
  WITH ${DEAD}
  SELECT subscriber, coalesce(dead, 0) AS dead,
         (SELECT count(*)::integer
            FROM (SELECT FROM backbone.delivery
                   WHERE state = 'pending' AND subscriber = asked.subscriber
                   ORDER BY due_at LIMIT ${COUNTED_MAX}) waiting) AS pending
    FROM unnest($1::text[]) AS asked(subscriber)
    LEFT JOIN dead USING (subscriber)`;

/** The first twelve digits of a UUIDv7 are the milliseconds of its time. */
const secondsSince = (id: string): string =>
  `(extract(epoch FROM clock_timestamp())
     - ('x' || left(replace(${id}::text, '-', ''), 12))::bit(48)::bigint / 1000.0)::float8`;

/**
 * `due_at` does not give the age, because the relay changes it at each dispatch. Deliveries are tested in the sequence
 * of their age until one of them is the first of its partition.
 */
const BACKLOG = `
  WITH ${DEAD}
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
                         AND p.state IN ('pending', 'dead') AND p.released_at IS NULL
                       ORDER BY p.position LIMIT 1) IS NULL
               LIMIT 1) AS untouched) counted
    LEFT JOIN dead USING (subscriber)`;

/**
 * Only deliveries that no process has claimed yet show that the program cannot keep up. A delivery that waits for a
 * retry has failed because of an outside system; paused and replayed deliveries are an operator's decision.
 */
const EXCEEDS = `
  SELECT EXISTS (
    SELECT FROM backbone.delivery
     WHERE state = 'pending' AND claims = 0
       AND subscriber <> ALL (ARRAY (SELECT subscriber FROM backbone.paused_subscriber))
    OFFSET $1) AS exceeds`;

/** Returns one entry for each of these subscribers. */
export function countUnfinished(subscribers: readonly string[], manager: EntityManager): Promise<UnfinishedCount[]> {
  return queryRows<UnfinishedCount>(manager, UNFINISHED, [subscribers]);
}

/** Returns one entry for each of these subscribers. Takes seconds where many pending deliveries are not due. */
export function readBacklog(subscribers: readonly string[], manager: EntityManager): Promise<Backlog[]> {
  return queryRows<Backlog>(manager, BACKLOG, [subscribers]);
}

/** Whether more than so many deliveries have never been claimed. Reads no more rows than that. */
export async function backlogExceeds(limit: number, manager: EntityManager): Promise<boolean> {
  const [row] = await queryRows<{ exceeds: boolean }>(manager, EXCEEDS, [limit]);
  return row?.exceeds === true;
}

export async function readPausedSubscribers(manager: EntityManager): Promise<string[]> {
  const rows = await queryRows<{ subscriber: string }>(manager, 'SELECT subscriber FROM backbone.paused_subscriber');
  return rows.map(({ subscriber }) => subscriber);
}
