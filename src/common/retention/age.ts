/**
 * SQL for the time `days` days ago by the database clock. `now()` is stable, so the planner can use an index for it.
 */
export function daysAgo(days: string): string {
  return `(now() - make_interval(days => ${days}))`;
}

/**
 * SQL for the smallest UUIDv7 of a time. UUIDv7 sort by their time, so old rows are found by the primary key, and a
 * table with many writes needs no index on a time.
 */
export function smallestIdAt(moment: string): string {
  return `(lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;
}

/** Smaller than every id. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
