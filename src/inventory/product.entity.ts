import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '../common/values/bigint-column.js';
import { isSameMoney, type Money } from '../common/values/money.js';

export const PRODUCT_STATUSES = ['active', 'discontinued'] as const;

export type ProductStatus = (typeof PRODUCT_STATUSES)[number];

/** A product of the catalogue. */
@Entity({ schema: 'inventory', name: 'product' })
export class Product {
  @PrimaryColumn('text')
  declare readonly sku: string;

  /** UUIDv7: products are listed newest first. */
  @Column('uuid')
  declare readonly id: string;

  @Column('text')
  declare readonly name: string;

  @Column('text')
  declare readonly category: string;

  @Column('bigint', { name: 'unit_amount', transformer: bigintColumn })
  declare readonly unitAmount: number;

  @Column('char', { length: 3 })
  declare readonly currency: string;

  @Column('text')
  declare readonly status: ProductStatus;

  get unitPrice(): Money {
    return { amount: this.unitAmount, currency: this.currency };
  }

  differsFrom({ name, category, unitPrice }: Pick<Product, 'name' | 'category' | 'unitPrice'>): boolean {
    return name !== this.name || category !== this.category || !isSameMoney(unitPrice, this.unitPrice);
  }
}
