import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { OrderNotFound } from './orders.errors.js';

/** Inserts an order and its lines in one statement. */
const INSERT = `
  WITH placed AS (
    INSERT INTO orders."order" (id, status, version, customer_name, customer_email, shipping_address, reference,
                                total_amount, currency, placed_at, rejection)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING id
  )
  INSERT INTO orders.order_line (order_id, number, sku, name, quantity, unit_amount)
  SELECT placed.id, line.*
    FROM placed, unnest($12::smallint[], $13::text[], $14::text[], $15::integer[], $16::bigint[]) AS line`;

/**
 * The orders of a transaction, with an identity map: within one transaction an id always gives the same object.
 *
 * A new order is in that map only, not in the database, while the reactions to OrderPlaced run. They get it with
 * `getForUpdate`, change the object, and call `update`, which does nothing for it. `insertBeforeCommit` runs the INSERT
 * after all reactions, with the values that the object has by then. So an order that is placed and confirmed in one
 * transaction costs one INSERT and no UPDATE, and no other transaction can read it before.
 */
@Injectable()
export class OrdersStore {
  /** By transaction, the orders that it has placed or locked, by id. Released with the transaction. */
  private readonly identityMaps = new WeakMap<Transaction, Map<string, Order>>();
  /** Orders whose INSERT runs at the end of their transaction. */
  private readonly awaitingInsert = new WeakSet<Order>();

  /** Adds a new order. It is inserted before commit, with the values that it has then. */
  add(order: Order, tx: Transaction): void {
    this.remember(order, tx);
    this.awaitingInsert.add(order);
    tx.insertBeforeCommit(() => tx.send(INSERT, insertParameters(order)));
  }

  /**
   * The order from the identity map, or from the database with a row lock until the transaction ends. A new order needs
   * no lock, because no other transaction can see it.
   * @throws {OrderNotFound}
   */
  async getForUpdate(id: string, tx: Transaction): Promise<Order> {
    const known = this.identityMaps.get(tx)?.get(id);
    if (known) return known;
    const order = await tx.manager.findOne(Order, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!order) throw new OrderNotFound(id);
    order.lines = await tx.manager.find(OrderLine, { where: { orderId: id }, order: { number: 'ASC' } });
    this.remember(order, tx);
    return order;
  }

  /** Updates the row of a changed order. Does nothing for a new one, whose INSERT will have the values. */
  async update(order: Order, tx: Transaction): Promise<void> {
    if (this.awaitingInsert.has(order)) return;
    const { id, status, version, rejection, cancellation, shipment } = order;
    await tx.manager.update(Order, { id }, { status, version, rejection, cancellation, shipment });
  }

  private remember(order: Order, tx: Transaction): void {
    const orders = this.identityMaps.get(tx) ?? new Map<string, Order>();
    this.identityMaps.set(tx, orders.set(order.id, order));
  }
}

/** The parameters of `INSERT`. */
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
