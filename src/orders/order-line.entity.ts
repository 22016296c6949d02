import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '../common/values/bigint-column.js';
import type { Money } from '../common/values/money.js';

/** A quantity of a product, with its price and name at the time of the order. */
export interface PricedLine {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: Money;
}

/** One line of an order. It never changes. */
@Entity({ schema: 'orders', name: 'order_line' })
export class OrderLine {
  @PrimaryColumn('uuid', { name: 'order_id' })
  declare readonly orderId: string;

  @PrimaryColumn('smallint')
  declare readonly number: number;

  @Column('text')
  declare readonly sku: string;

  @Column('text')
  declare readonly name: string;

  @Column('integer')
  declare readonly quantity: number;

  @Column('bigint', { name: 'unit_amount', transformer: bigintColumn })
  declare readonly unitAmount: number;

  static of(orderId: string, number: number, { sku, name, quantity, unitPrice }: PricedLine): OrderLine {
    return Object.assign(new OrderLine(), { orderId, number, sku, name, quantity, unitAmount: unitPrice.amount });
  }

  /** In minor units of the order's currency. */
  get lineAmount(): number {
    return this.quantity * this.unitAmount;
  }
}
