import { Injectable } from '@nestjs/common';
import { ReactsTo } from '../backbone/decorators.js';
import type { Transaction } from '../backbone/transaction.js';
import { OrderCancelled, OrderPlaced, OrderShipped } from '../orders/orders.events.js';
import { Reservations } from './reservations.js';

/** The reactions of inventory to the events of orders. */
@Injectable()
export class InventoryReactions {
  constructor(private readonly reservations: Reservations) {}

  @ReactsTo(OrderPlaced)
  async reserveStock({ data }: OrderPlaced, tx: Transaction): Promise<void> {
    await this.reservations.reserve(data.orderId, data.lines, tx);
  }

  @ReactsTo(OrderCancelled)
  async releaseStock({ data }: OrderCancelled, tx: Transaction): Promise<void> {
    await this.reservations.release(data.orderId, tx);
  }

  @ReactsTo(OrderShipped)
  async dispatchStock({ data }: OrderShipped, tx: Transaction): Promise<void> {
    await this.reservations.dispatch(data.orderId, tx);
  }
}
