/** The moment so many days ago, in SQL, by the database's clock. Stable, so that indexes can be searched for it. */
export function daysAgo(days: string): string {
  return `(now() - make_interval(days => ${days}))`;
}

/**
 * The least UUIDv7 of a moment, in SQL. Ids in their order are rows in the order of their age, so what is old is found
 * by the primary key, and a busy table needs no index on a time.
 */
export function smallestIdAt(moment: string): string {
  return `(lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;
}

/** Less than every id that there is. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
