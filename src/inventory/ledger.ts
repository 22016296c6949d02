import type { Transaction } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import type { Movement } from './movement.entity.js';

type Entry = Pick<Movement, 'sku' | 'kind' | 'change' | 'reason'>;

/** Books a movement in the ledger. A trigger of the table changes the stock level. */
export async function book(tx: Transaction, entry: Entry): Promise<Movement> {
  const sql = `
    INSERT INTO inventory.movement (sku, kind, change, reason) VALUES ($1, $2, $3, $4)
    RETURNING id::float8, on_hand::float8 AS "onHand", booked_at AS "bookedAt"`;
  const { sku, kind, change, reason } = entry;
  const [booked] = await queryRows<Omit<Movement, keyof Entry>>(tx.manager, sql, [sku, kind, change, reason]);
  if (!booked) throw new Error(`The movement of ${sku} was not booked`);
  return { ...entry, ...booked };
}
