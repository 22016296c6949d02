import { Column, Entity, PrimaryColumn } from 'typeorm';
import { rowsOf } from '../common/database/rows-of.js';
import type { Transaction } from '../common/events/transaction.js';
import { bigintColumn } from '../common/values/bigint-column.js';

export const MOVEMENT_KINDS = ['receipt', 'adjustment', 'dispatch'] as const;

/** One line of the ledger: why what is on hand changed. Never changed, never deleted. */
@Entity({ schema: 'inventory', name: 'movement' })
export class Movement {
  @PrimaryColumn('bigint', { transformer: bigintColumn })
  declare readonly id: number;

  @Column('text')
  declare readonly sku: string;

  @Column('text')
  declare readonly kind: (typeof MOVEMENT_KINDS)[number];

  @Column('bigint', { transformer: bigintColumn })
  declare readonly change: number;

  /** What was on hand afterwards. Filled in by the database. */
  @Column('bigint', { name: 'on_hand', transformer: bigintColumn })
  declare readonly onHand: number;

  /** The receipt's reference, the adjustment's reason, or the id of the order that was shipped. */
  @Column('text')
  declare readonly reason: string;

  @Column('timestamptz', { name: 'booked_at' })
  declare readonly bookedAt: Date;
}

type Entry = Pick<Movement, 'sku' | 'kind' | 'change' | 'reason'>;

/** Adds a line to the ledger; the level follows from it. */
export async function book(tx: Transaction, entry: Entry): Promise<Movement> {
  const sql = `
    INSERT INTO inventory.movement (sku, kind, change, reason) VALUES ($1, $2, $3, $4)
    RETURNING id::float8, on_hand::float8 AS "onHand", booked_at AS "bookedAt"`;
  const { sku, kind, change, reason } = entry;
  const [booked] = await rowsOf<Omit<Movement, keyof Entry>>(tx.manager, sql, [sku, kind, change, reason]);
  if (!booked) throw new Error(`The movement of ${sku} was not booked`);
  return { ...entry, ...booked };
}
