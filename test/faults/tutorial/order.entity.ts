// The habit: an order with its lines as a cascading, eager relation, and its status as a column that services set.
import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  VersionColumn,
} from 'typeorm';
import type { OrderInput } from './schemas.js';

export type OrderStatus = 'confirmed' | 'rejected' | 'cancelled' | 'shipped';

export interface Rejection {
  readonly reason: string;
  readonly lines: readonly { readonly sku: string; readonly requested: number; readonly available: number }[];
}

@Entity()
export class OrderLine {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index()
  @ManyToOne(
    () => Order,
    (order) => order.lines,
  )
  order!: Relation<Order>;

  @Column()
  sku!: string;

  @Column()
  name!: string;

  @Column('int')
  quantity!: number;

  @Column('int')
  unitAmount!: number;
}

@Entity()
export class Order {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'varchar' })
  status!: OrderStatus;

  @Column({ type: 'varchar', nullable: true })
  reference!: string | null;

  @Column()
  customerName!: string;

  @Column()
  customerEmail!: string;

  @Column('jsonb')
  shippingAddress!: OrderInput['shippingAddress'];

  @Column()
  currency!: string;

  @OneToMany(
    () => OrderLine,
    (line) => line.order,
    { cascade: true, eager: true },
  )
  lines!: OrderLine[];

  @Column({ type: 'jsonb', nullable: true })
  rejection!: Rejection | null;

  @Column({ type: 'jsonb', nullable: true })
  cancellation!: { reason: string } | null;

  @Column({ type: 'jsonb', nullable: true })
  shipment!: { carrier: string; trackingNumber: string } | null;

  @Index()
  @CreateDateColumn({ type: 'timestamptz' })
  placedAt!: Date;

  @VersionColumn()
  version!: number;
}
