import { Column, Entity, PrimaryColumn } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { bigintColumn } from '../common/values/bigint-column.js';
import { AMOUNT_MAX, type Money } from '../common/values/money.js';
import { OrderLine, type PricedLine } from './order-line.entity.js';
import { mayBecome, type OrderStatus } from './order-status.js';
import { MixedCurrencies, TotalTooLarge, WrongTransition } from './orders.errors.js';

export interface Customer {
  readonly name: string;
  readonly email: string;
}

export interface Address {
  readonly name: string;
  readonly street: string;
  readonly city: string;
  readonly region?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly country: string;
}

export interface Rejection {
  readonly reason: string;
  readonly lines: readonly { readonly sku: string; readonly requested: number; readonly available: number }[];
}

export interface Shipment {
  readonly carrier: string;
  readonly trackingNumber: string;
}

/** A requested order with the present prices. */
export interface OrderDraft {
  readonly customer: Customer;
  readonly shippingAddress: Address;
  readonly lines: readonly PricedLine[];
  readonly reference?: string | undefined;
}

/**
 * A customer's order. Its status follows the transitions of order-status.ts, and each change publishes one event of the
 * same version.
 */
@Entity({ schema: 'orders', name: 'order' })
export class Order {
  @PrimaryColumn('uuid')
  declare id: string;

  @Column('text')
  declare status: OrderStatus;

  @Column('integer')
  declare version: number;

  @Column('text', { name: 'customer_name' })
  declare customerName: string;

  @Column('text', { name: 'customer_email' })
  declare customerEmail: string;

  @Column('jsonb', { name: 'shipping_address' })
  declare shippingAddress: Address;

  @Column('text', { nullable: true })
  declare reference: string | null;

  @Column('bigint', { name: 'total_amount', transformer: bigintColumn })
  declare totalAmount: number;

  @Column('char', { length: 3 })
  declare currency: string;

  @Column('timestamptz', { name: 'placed_at' })
  declare placedAt: Date;

  @Column('jsonb', { nullable: true })
  declare rejection: Rejection | null;

  @Column('jsonb', { nullable: true })
  declare cancellation: { readonly reason: string } | null;

  @Column('jsonb', { nullable: true })
  declare shipment: Shipment | null;

  /** Rows of another table, which OrdersStore and OrdersQueries read and write. */
  lines: OrderLine[] = [];

  /** @throws {MixedCurrencies} @throws {TotalTooLarge} */
  static place({ customer, shippingAddress, lines, reference }: OrderDraft, now: Date): Order {
    const currencies = [...new Set(lines.map(({ unitPrice }) => unitPrice.currency))];
    const [currency = ''] = currencies;
    if (currencies.length > 1) throw new MixedCurrencies(currencies);
    const totalAmount = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount, 0);
    if (totalAmount > AMOUNT_MAX) throw new TotalTooLarge(AMOUNT_MAX);
    const id = uuidv7();
    return Object.assign(new Order(), {
      id,
      status: 'placed' as const,
      version: 1,
      customerName: customer.name,
      customerEmail: customer.email,
      shippingAddress,
      reference: reference ?? null,
      totalAmount,
      currency,
      placedAt: now,
      rejection: null,
      cancellation: null,
      shipment: null,
      lines: lines.map((line, index) => OrderLine.of(id, index + 1, line)),
    });
  }

  get customer(): Customer {
    return { name: this.customerName, email: this.customerEmail };
  }

  get total(): Money {
    return { amount: this.totalAmount, currency: this.currency };
  }

  confirm(): void {
    this.become('confirmed');
  }

  reject(rejection: Rejection): void {
    this.become('rejected');
    this.rejection = rejection;
  }

  cancel(reason: string): void {
    this.become('cancelled');
    this.cancellation = { reason };
  }

  ship(shipment: Shipment): void {
    this.become('shipped');
    this.shipment = shipment;
  }

  deliver(): void {
    this.become('delivered');
  }

  /** @throws {WrongTransition} */
  private become(status: OrderStatus): void {
    if (!mayBecome(this.status, status)) throw new WrongTransition(this.id, this.status, status);
    this.status = status;
    this.version += 1;
  }
}
