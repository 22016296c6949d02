import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '../common/values/bigint-column.js';

/** The stock level of a product. Triggers compute both numbers from the ledger and the reservations. */
@Entity({ schema: 'inventory', name: 'stock' })
export class Stock {
  @PrimaryColumn('text')
  declare readonly sku: string;

  @Column('bigint', { name: 'on_hand', transformer: bigintColumn })
  declare readonly onHand: number;

  @Column('bigint', { transformer: bigintColumn })
  declare readonly reserved: number;

  @Column('integer', { name: 'reorder_level' })
  declare readonly reorderLevel: number;

  get available(): number {
    return this.onHand - this.reserved;
  }
}
