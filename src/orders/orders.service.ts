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

/** What a customer asks for. The prices are the shop's to say. */
export interface OrderRequest {
  readonly customer: Customer;
  readonly shippingAddress: Address;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly reference?: string | undefined;
}

/** The story of an order. */
@Injectable()
export class OrdersService {
  private readonly logger = new Logger(OrdersService.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly store: OrdersStore,
    private readonly priceList: PriceList,
    private readonly backlog: BackPressure,
  ) {}

  /**
   * Gives the order as its transaction left it: settled where inventory is at hand, else still placed.
   * @throws {BacklogTooLarge}
   */
  place(request: OrderRequest): Promise<Order> {
    return this.transactions.run(async (tx) => {
      // Not sooner: a request that is repeated has been answered by now, and its order exists.
      this.backlog.assertAccepting();
      const lines = await this.priceList.price(request.lines, tx);
      const order = Order.place({ ...request, lines }, new Date());
      this.store.add(order, tx);
      tx.publish(OrderPlaced({ orderId: order.id, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }));
      return order;
    });
  }

  async confirm(orderId: string, tx: Transaction): Promise<void> {
    await this.answer(orderId, 'confirmed', tx, (order) => {
      order.confirm();
      return OrderConfirmed({ orderId, customer: order.customer, lines: linesOf(order), total: order.total });
    });
  }

  async reject(orderId: string, rejection: Rejection, tx: Transaction): Promise<void> {
    await this.answer(orderId, 'rejected', tx, (order) => {
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

  private change(orderId: string, work: (order: Order) => Fact): Promise<Order> {
    return this.transactions.run(async (tx) => {
      const order = await this.store.take(orderId, tx);
      const fact = work(order);
      await this.store.update(order, tx);
      tx.publish(fact);
      return order;
    });
  }

  /** Inventory's answer may come after the customer called the order off; then inventory hears of that as well. */
  private async answer(orderId: string, to: OrderStatus, tx: Transaction, work: (order: Order) => Fact): Promise<void> {
    const order = await this.store.take(orderId, tx);
    if (!mayBecome(order.status, to)) return this.logger.log(`Order ${orderId} is ${order.status} already, not ${to}`);
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
