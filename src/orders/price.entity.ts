import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '../common/values/bigint-column.js';

/** The price and name of a product, copied from the events of inventory. */
@Entity({ schema: 'orders', name: 'price' })
export class Price {
  @PrimaryColumn('text')
  declare readonly sku: string;

  @Column('text')
  declare readonly name: string;

  @Column('bigint', { name: 'unit_amount', transformer: bigintColumn })
  declare readonly unitAmount: number;

  @Column('char', { length: 3 })
  declare readonly currency: string;

  @Column('boolean', { name: 'is_sold' })
  declare readonly isSold: boolean;
}
