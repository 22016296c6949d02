import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { OrderNotFound } from './orders.errors.js';

/** An order with its lines, in one statement. */
const ADD = `
  WITH placed AS (
    INSERT INTO orders."order" (id, status, version, customer_name, customer_email, shipping_address, reference,
                                total_amount, currency, placed_at, rejection)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING id
  )
  INSERT INTO orders.order_line (order_id, number, sku, name, quantity, unit_amount)
  SELECT placed.id, line.*
    FROM placed, unnest($12::smallint[], $13::text[], $14::text[], $15::integer[], $16::bigint[]) AS line`;

/** Orders in a transaction: the one that was placed in it is still in hand when the stock for it is reserved. */
@Injectable()
export class OrdersStore {
  private readonly inHand = new WeakMap<Transaction, Map<string, Order>>();
  private readonly added = new WeakSet<Order>();

  /** Its rows are written at the end, as it is by then: settled, where inventory is at hand. */
  add(order: Order, tx: Transaction): void {
    this.keep(order, tx);
    this.added.add(order);
    tx.insertBeforeCommit(() => tx.send(ADD, insertParameters(order)));
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

  async update(order: Order, tx: Transaction): Promise<void> {
    if (this.added.has(order)) return;
    const { id, status, version, rejection, cancellation, shipment } = order;
    await tx.manager.update(Order, { id }, { status, version, rejection, cancellation, shipment });
  }

  private keep(order: Order, tx: Transaction): void {
    const kept = this.inHand.get(tx) ?? new Map<string, Order>();
    this.inHand.set(tx, kept.set(order.id, order));
  }
}

/** What `ADD` takes. */
function insertParameters({ id, status, version, customerName, customerEmail, lines, ...order }: Order): unknown[] {
  return [
    id,
    status,
    version,
    customerName,
    customerEmail,
    order.shippingAddress,
    order.reference,
    order.totalAmount,
    order.currency,
    order.placedAt,
    order.rejection,
    lines.map(({ number }) => number),
    lines.map(({ sku }) => sku),
    lines.map(({ name }) => name),
    lines.map(({ quantity }) => quantity),
    lines.map(({ unitAmount }) => unitAmount),
  ];
}
