import { Injectable } from '@nestjs/common';
import type { Transaction } from '../common/events/transaction.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { OrderNotFound } from './orders.errors.js';

/** Orders in a transaction: the one that was placed in it is still in hand when the stock for it is reserved. */
@Injectable()
export class OrdersStore {
  private readonly inHand = new WeakMap<Transaction, Map<string, Order>>();

  async add(order: Order, tx: Transaction): Promise<void> {
    await tx.manager.insert(Order, order);
    await tx.manager.insert(OrderLine, order.lines);
    this.keep(order, tx);
  }

  /** Locks the order until the transaction ends. @throws {OrderNotFound} */
  async take(id: string, tx: Transaction): Promise<Order> {
    const kept = this.inHand.get(tx)?.get(id);
    if (kept) return kept;
    const order = await tx.manager.findOne(Order, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!order) throw new OrderNotFound(id);
    order.lines = await tx.manager.find(OrderLine, { where: { orderId: id }, order: { number: 'ASC' } });
    this.keep(order, tx);
    return order;
  }

  async update({ id, status, version, rejection, cancellation, shipment }: Order, tx: Transaction): Promise<void> {
    await tx.manager.update(Order, { id }, { status, version, rejection, cancellation, shipment });
  }

  private keep(order: Order, tx: Transaction): void {
    const kept = this.inHand.get(tx) ?? new Map<string, Order>();
    this.inHand.set(tx, kept.set(order.id, order));
  }
}
