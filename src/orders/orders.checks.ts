import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { EventReader } from '../backbone/event-reader.js';
import { Transactions } from '../backbone/transaction.js';
import { NIL_UUID } from '../common/retention/age.js';
import { StockReserved, StockShort } from '../inventory/inventory.events.js';
import type { EventCheck, Finding, HandledEvent, ModuleChecks, RowCheck } from '../operations/checks.js';
import { Order } from './order.entity.js';
import type { OrderStatus } from './order-status.js';

/** Inventory reserves stock within milliseconds, or within seconds where it runs in another process. */
const ANSWERED_MINUTES = 15;
const OVERDUE = `status = 'placed' AND placed_at < now() - interval '${ANSWERED_MINUTES} minutes'`;

/** The statuses that an order may have after the event of inventory. */
const STATUSES_AFTER: Readonly<Record<string, readonly OrderStatus[]>> = {
  [StockReserved.type]: ['confirmed', 'shipped', 'delivered', 'cancelled'],
  [StockShort.type]: ['rejected', 'cancelled'],
};

const subjectOf = (id: string): string => `order/${id}`;

/** Checks that orders agree with their events and with those of inventory. */
@Injectable()
export class OrdersChecks implements ModuleChecks {
  readonly rowChecks: readonly RowCheck[] = [
    {
      name: 'orders.last-events-tell-their-states',
      description: 'An order has the status and the version of its last event',
      remedy: 'The order was changed by hand: set it back to what its timeline shows',
      keysAfter: (last, limit) => this.idsWhere('true', last, limit),
      findMismatches: (ids) => this.differentFromLastEvent(ids),
    },
    {
      name: 'orders.are-settled',
      description: `No order is placed for longer than ${ANSWERED_MINUTES} minutes`,
      remedy:
        'The timeline of the order shows whether the event of inventory is missing, and which delivery is pending or dead',
      keysAfter: (last, limit) => this.idsWhere(OVERDUE, last, limit),
      findMismatches: (ids) => this.stillPlaced(ids),
    },
  ];
  readonly eventChecks: readonly EventCheck[] = [
    {
      name: 'orders.heed-inventory',
      description: 'The status of an order follows from the event of inventory: stock reserved or short',
      remedy: 'Compare the order with its timeline, and correct it by hand',
      events: [StockReserved, StockShort],
      findMismatches: (events) => this.differentFromInventory(events),
    },
  ];

  constructor(
    private readonly transactions: Transactions,
    private readonly log: EventReader,
  ) {}

  private async differentFromLastEvent(ids: readonly string[]): Promise<Finding[]> {
    const orders = await this.orders(ids);
    const last = await this.log.lastEventsOf(ids.map(subjectOf));
    return [...orders.values()].flatMap(({ id: key, status, version }) => {
      const event = last.get(subjectOf(key));
      if (event?.type === `orders.order-${status}.v1` && event.version === version) return [];
      const expected = event ? `version ${event.version}, as in ${event.type}` : 'an event with this status';
      return [{ key, subject: subjectOf(key), expected, found: `version ${version}, ${status}` }];
    });
  }

  private async stillPlaced(ids: readonly string[]): Promise<Finding[]> {
    const orders = await this.orders(ids);
    return [...orders.values()]
      .filter(({ status }) => status === 'placed')
      .map(({ id: key, placedAt }) => {
        const found = `placed since ${placedAt.toISOString()}`;
        return { key, subject: subjectOf(key), expected: 'confirmed or rejected', found };
      });
  }

  private async differentFromInventory(events: readonly HandledEvent[]): Promise<Finding[]> {
    const orderIds = events.map(({ data }) => StockReserved.data.pick({ orderId: true }).parse(data).orderId);
    const orders = await this.orders(orderIds);
    return events.flatMap(({ id: key, type }, index) => {
      const orderId = orderIds[index] ?? '';
      const expected = STATUSES_AFTER[type] ?? [];
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
      manager.query(sql, [last ?? NIL_UUID, limit]),
    );
    return rows.map(({ id }) => id);
  }
}
