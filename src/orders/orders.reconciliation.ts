import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { EventReader } from '../common/events/event-reader.js';
import { Transactions } from '../common/events/transactions.js';
import { Checks, type Disagreement } from '../common/reconciliation/checks.js';
import type { HeardEvent } from '../common/reconciliation/heard-events.js';
import { NO_ID } from '../common/retention/age.js';
import { StockReserved, StockShort } from '../inventory/inventory.events.js';
import { Order } from './order.entity.js';
import type { OrderStatus } from './order-status.js';

/** Inventory answers in milliseconds, and in seconds where it lives elsewhere. */
const SETTLED_MINUTES = 15;
const LATE = `status = 'placed' AND placed_at < now() - interval '${SETTLED_MINUTES} minutes'`;

/** What an order may be once inventory has given its answer. */
const AFTER: Readonly<Record<string, readonly OrderStatus[]>> = {
  [StockReserved.type]: ['confirmed', 'shipped', 'delivered', 'cancelled'],
  [StockShort.type]: ['rejected', 'cancelled'],
};

const subjectOf = (id: string): string => `order/${id}`;

/** What must agree with orders. */
@Injectable()
export class OrdersReconciliation {
  constructor(
    private readonly transactions: Transactions,
    private readonly log: EventReader,
    checks: Checks,
  ) {
    checks.addRows({
      name: 'orders.last-events-tell-their-states',
      means: 'The last event of an order tells its state and its version',
      remedy: 'Somebody changed the order by hand: set it back to what its timeline tells',
      keysAfter: (last, limit) => this.idsWhere('true', last, limit),
      look: (ids) => this.thoseOtherThanSaid(ids),
    });
    checks.addRows({
      name: 'orders.are-settled',
      means: `No order is placed for longer than ${SETTLED_MINUTES} minutes`,
      remedy: 'Its timeline tells whether the answer of inventory is missing, and whose delivery waits or is dead',
      keysAfter: (last, limit) => this.idsWhere(LATE, last, limit),
      look: (ids) => this.thoseUnsettled(ids),
    });
    checks.addEvents({
      name: 'orders.heed-inventory',
      means: 'Whether the stock for an order was reserved or short shows in its state',
      remedy: 'Compare the order with its timeline, and set it right by hand',
      events: [StockReserved, StockShort],
      look: (events) => this.heedless(events),
    });
  }

  private async thoseOtherThanSaid(ids: readonly string[]): Promise<Disagreement[]> {
    const orders = await this.orders(ids);
    const last = await this.log.lastOf(ids.map(subjectOf));
    return [...orders.values()].flatMap(({ id: key, status, version }) => {
      const event = last.get(subjectOf(key));
      if (event?.type === `orders.order-${status}.v1` && event.version === version) return [];
      const expected = event ? `version ${event.version}, as ${event.type} says` : 'an event that says so';
      return [{ key, subject: subjectOf(key), expected, found: `version ${version}, ${status}` }];
    });
  }

  private async thoseUnsettled(ids: readonly string[]): Promise<Disagreement[]> {
    const orders = await this.orders(ids);
    return [...orders.values()]
      .filter(({ status }) => status === 'placed')
      .map(({ id: key, placedAt }) => {
        const found = `placed since ${placedAt.toISOString()}`;
        return { key, subject: subjectOf(key), expected: 'confirmed or rejected', found };
      });
  }

  private async heedless(events: readonly HeardEvent[]): Promise<Disagreement[]> {
    const orderIds = events.map(({ data }) => StockReserved.data.pick({ orderId: true }).parse(data).orderId);
    const orders = await this.orders(orderIds);
    return events.flatMap(({ id: key, type }, index) => {
      const orderId = orderIds[index] ?? '';
      const expected = AFTER[type] ?? [];
      const found = orders.get(orderId)?.status;
      if (found && expected.includes(found)) return [];
      return [{ key, subject: subjectOf(orderId), expected: expected.join(' or '), found: found ?? 'no such order' }];
    });
  }

  private async orders(ids: readonly string[]): Promise<ReadonlyMap<string, Order>> {
    const where = { id: In([...ids]) };
    const orders = await this.transactions.read((manager) => manager.find(Order, { where }));
    return new Map(orders.map((order) => [order.id, order]));
  }

  private async idsWhere(condition: string, last: string | undefined, limit: number): Promise<string[]> {
    const sql = `SELECT id FROM orders."order" WHERE id > $1 AND ${condition} ORDER BY id LIMIT $2`;
    const rows: Pick<Order, 'id'>[] = await this.transactions.read((manager) =>
      manager.query(sql, [last ?? NO_ID, limit]),
    );
    return rows.map(({ id }) => id);
  }
}
