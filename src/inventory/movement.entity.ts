import { Column, Entity, PrimaryColumn } from 'typeorm';
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
