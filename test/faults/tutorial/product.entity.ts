// The habit: stock is one number on the product, less whatever has been sold.
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
