import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { z } from 'zod';
import { Transactions } from '../backbone/transaction.js';
import { isoTime } from '../common/http/fields.js';
import { decodeCursor, type Page, pageOf } from '../common/http/pagination.js';
import { logOccasionally } from '../common/logging/log-occasionally.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import type { OrderQuery } from './orders.dto.js';
import { OrderNotFound } from './orders.errors.js';

/** If inventory runs in another process, it reserves stock within tens of milliseconds. */
const POLL_MS = 50;

const cursorParts = z.tuple([isoTime, z.uuid()]);

/** Reads orders for the API. */
@Injectable()
export class OrdersQueries {
  private readonly logger = new Logger(OrdersQueries.name);

  constructor(private readonly transactions: Transactions) {}

  /** @throws {OrderNotFound} */
  order(id: string): Promise<Order> {
    return this.transactions.read(async (manager) => {
      const order = await manager.findOneBy(Order, { id });
      if (!order) throw new OrderNotFound(id);
      await fillLines([order], manager);
      return order;
    });
  }

  /**
   * Waits until the order is confirmed or rejected, at most so many seconds, and returns its last known state. Never
   * throws: the order is committed, so its client must get its id even if the database cannot be read meanwhile.
   */
  async awaitDecision(order: Order, waitSeconds: number): Promise<Order> {
    const deadline = performance.now() + waitSeconds * 1_000;
    let latest = order;
    try {
      while (latest.status === 'placed' && performance.now() < deadline) {
        await pause(POLL_MS);
        latest = await this.order(order.id);
      }
    } catch (err) {
      const message = 'An order could not be read while its client waited; the response shows its last known state';
      logOccasionally(this.logger, 'warn', { message, err });
    }
    return latest;
  }

  orders({ status, email, reference, placedAfter, placedBefore, cursor, limit }: OrderQuery): Promise<Page<Order>> {
    return this.transactions.read(async (manager) => {
      const query = manager
        .createQueryBuilder(Order, 'o')
        .orderBy({ 'o.placedAt': 'DESC', 'o.id': 'DESC' })
        .take(limit + 1);
      if (status) query.andWhere('o.status = :status', { status });
      if (email) query.andWhere('lower(o.customerEmail) = lower(:email)', { email });
      if (reference) query.andWhere('o.reference = :reference', { reference });
      if (placedAfter) query.andWhere('o.placedAt > :placedAfter', { placedAfter });
      if (placedBefore) query.andWhere('o.placedAt < :placedBefore', { placedBefore });
      if (cursor) {
        const [placedAt, id] = decodeCursor(cursor, cursorParts);
        query.andWhere('(o.placedAt, o.id) < (:placedAt, :id)', { placedAt, id });
      }
      const page = pageOf(await query.getMany(), limit, ({ placedAt, id }) => [placedAt.toISOString(), id]);
      await fillLines(page.items, manager);
      return page;
    });
  }
}

async function fillLines(orders: readonly Order[], manager: EntityManager): Promise<void> {
  const orderId = In(orders.map(({ id }) => id));
  const lines = await manager.find(OrderLine, { where: { orderId }, order: { number: 'ASC' } });
  for (const order of orders) order.lines = lines.filter((line) => line.orderId === order.id);
}
