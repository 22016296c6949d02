import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '../common/values/bigint-column.js';

export const MOVEMENT_KINDS = ['receipt', 'adjustment', 'dispatch'] as const;

/** An entry of the stock ledger: a change of the units on hand, and its reason. Append-only. */
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

  /** Units on hand after the movement. Set by the database. */
  @Column('bigint', { name: 'on_hand', transformer: bigintColumn })
  declare readonly onHand: number;

  /** The reference of the receipt, the reason of the adjustment, or the id of the shipped order. */
  @Column('text')
  declare readonly reason: string;

  @Column('timestamptz', { name: 'booked_at' })
  declare readonly bookedAt: Date;
}
