import type { DataSource } from 'typeorm';

const MS_PER_DAY = 86_400_000;

/** An expression in SQL: the UUIDv7 with a time that many days earlier. Its first twelve digits are milliseconds. */
export function olderId(id: string, days: number): string {
  const digits = `replace(${id}::text, '-', '')`;
  const ms = `('x' || left(${digits}, 12))::bit(48)::bigint - ${days * MS_PER_DAY}`;
  return `(lpad(to_hex(${ms}), 12, '0') || substr(${digits}, 13))::uuid`;
}

/** Makes every stored event and delivery older by some days. */
export async function ageRows(days: number, dataSource: DataSource): Promise<void> {
  const older = (...columns: string[]) =>
    columns.map((column) => `${column} = ${column} - interval '${days} days'`).join(', ');
  await dataSource.transaction(async (manager) => {
    // Turns off the trigger that keeps events immutable, and the foreign key of deliveries.
    await manager.query('SET LOCAL session_replication_role = replica');
    await manager.query(`UPDATE backbone.event SET id = ${olderId('id', days)}, ${older('occurred_at')},
                                                   causation_id = ${olderId('causation_id', days)}`);
    await manager.query(
      `UPDATE backbone.delivery SET event_id = ${olderId('event_id', days)}, ${older('finished_at')}`,
    );
  });
}
