import { Injectable, Logger } from '@nestjs/common';
import { BackPressure } from '../backbone/back-pressure.js';
import type { Fact } from '../backbone/domain-event.js';
import type { Transaction } from '../backbone/transaction.js';
import { Transactions } from '../backbone/transaction.js';
import { type Address, type Customer, Order, type Rejection, type Shipment } from './order.entity.js';
import { mayBecome, type OrderStatus } from './order-status.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderPlaced,
  OrderRejected,
  OrderShipped,
} from './orders.events.js';
import { OrdersStore } from './orders.store.js';
import { PriceList } from './price-list.js';

/** An order as a customer requests it, without prices: the price list has them. */
export interface OrderRequest {
  readonly customer: Customer;
  readonly shippingAddress: Address;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly reference?: string | undefined;
}

/**
 * The use cases of orders. Each runs in one transaction. Where inventory runs in the same process, placing an order
 * includes the reservation: `place` publishes OrderPlaced, inventory reserves and publishes StockReserved or
 * StockShort, and `confirm` or `reject` runs, all before the commit. OrdersStore keeps the new order in memory until
 * then.
 */
@Injectable()
export class OrdersService {
  private readonly logger = new Logger(OrdersService.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly store: OrdersStore,
    private readonly priceList: PriceList,
    private readonly backPressure: BackPressure,
  ) {}

  /**
   * Returns the order as it commits: confirmed or rejected where inventory runs in this process, else placed.
   * @throws {BacklogTooLarge}
   * @throws {ProductsNotForSale}
   */
  place(request: OrderRequest): Promise<Order> {
    return this.transactions.run(async (tx) => {
      // Only here, in the transaction: a repeated request has got its stored response by now, and adds no work.
      this.backPressure.assertAccepting();
      const lines = await this.priceList.price(request.lines, tx);
      const order = Order.place({ ...request, lines }, new Date());
      // In memory only. Reactions to OrderPlaced find it there and change it; its INSERT runs last, before commit.
      this.store.add(order, tx);
      tx.publish(OrderPlaced({ orderId: order.id, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }));
      return order;
    });
  }

  async confirm(orderId: string, tx: Transaction): Promise<void> {
    await this.applyDecision(orderId, 'confirmed', tx, (order) => {
      order.confirm();
      return OrderConfirmed({ orderId, customer: order.customer, lines: linesOf(order), total: order.total });
    });
  }

  async reject(orderId: string, rejection: Rejection, tx: Transaction): Promise<void> {
    await this.applyDecision(orderId, 'rejected', tx, (order) => {
      order.reject(rejection);
      const names = new Map(order.lines.map(({ sku, name }) => [sku, name]));
      const lines = rejection.lines.map((line) => ({ ...line, name: names.get(line.sku) ?? line.sku }));
      return OrderRejected({ orderId, customer: order.customer, reason: rejection.reason, lines });
    });
  }

  cancel(orderId: string, reason: string): Promise<Order> {
    return this.change(orderId, (order) => {
      order.cancel(reason);
      return OrderCancelled({ orderId, customer: order.customer, reason });
    });
  }

  ship(orderId: string, shipment: Shipment): Promise<Order> {
    return this.change(orderId, (order) => {
      order.ship(shipment);
      return OrderShipped({ orderId, customer: order.customer, ...shipment });
    });
  }

  deliver(orderId: string): Promise<Order> {
    return this.change(orderId, (order) => {
      order.deliver();
      return OrderDelivered({ orderId, customer: order.customer });
    });
  }

  /** Changes an order that is in the database already. */
  private change(orderId: string, work: (order: Order) => Fact): Promise<Order> {
    return this.transactions.run(async (tx) => {
      const order = await this.store.getForUpdate(orderId, tx);
      const fact = work(order);
      await this.store.update(order, tx);
      tx.publish(fact);
      return order;
    });
  }

  /**
   * Applies the event of inventory. Does nothing when the order is cancelled meanwhile: inventory receives
   * OrderCancelled after its own event, and releases the stock.
   */
  private async applyDecision(
    orderId: string,
    to: OrderStatus,
    tx: Transaction,
    work: (order: Order) => Fact,
  ): Promise<void> {
    const order = await this.store.getForUpdate(orderId, tx);
    if (!mayBecome(order.status, to))
      return this.logger.log(`Order ${orderId} is already ${order.status} and does not become ${to}`);
    const fact = work(order);
    await this.store.update(order, tx);
    tx.publish(fact);
  }
}

function linesOf({ lines, currency }: Order) {
  return lines.map(({ sku, name, quantity, lineAmount }) => ({
    sku,
    name,
    quantity,
    lineTotal: { amount: lineAmount, currency },
  }));
}
