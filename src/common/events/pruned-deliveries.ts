/**
 * What was done is remembered when its row is gone: one bit for each position of the log, in rows of so many. Bits are
 * exact where a position could not be: deliveries end out of order, events commit out of the order of their positions,
 * and a subscriber that is new has no deliveries from before (docs/adr/0008-what-was-pruned-is-remembered-in-bits.md).
 */
const BITS = 4_096;

/** A condition in SQL: this row of `backbone.pruned_delivery` says that the delivery at a position was pruned. */
export function tellsOf(row: string, position: string): string {
  return `(${row}.chunk = ${position} / ${BITS} AND get_bit(${row}.bits, (${position} % ${BITS})::integer) = 1)`;
}

/** A condition in SQL: of the event at this position the delivery to one of these subscribers was pruned. */
export function wasPruned(position: string, subscribers: string): string {
  return `EXISTS (
    SELECT FROM backbone.pruned_delivery p WHERE ${tellsOf('p', position)} AND p.subscriber = ANY (${subscribers}))`;
}

/** The end of a statement whose CTE has (position, subscriber) of rows that it deletes. */
export function remember(deleted: string): string {
  const bit = `set_bit(repeat('0', ${BITS})::bit(${BITS}), (position % ${BITS})::integer, 1)`;
  return `
    INSERT INTO backbone.pruned_delivery AS p (chunk, subscriber, bits)
    SELECT position / ${BITS}, subscriber, bit_or(${bit}) FROM ${deleted} GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (chunk, subscriber) DO UPDATE SET bits = p.bits | excluded.bits`;
}
