// The habit: stock is one number of the product, from which sold units are subtracted.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity()
export class Product {
  @PrimaryColumn()
  sku!: string;

  @Column()
  name!: string;

  @Column()
  category!: string;

  @Column('int')
  unitAmount!: number;

  @Column()
  currency!: string;

  @Column('int')
  reorderLevel!: number;

  @Column('int')
  stock!: number;
}
