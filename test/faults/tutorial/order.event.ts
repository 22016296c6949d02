// The habit: an event is a small class that carries an id.
import type { OrderStatus } from './order.entity.js';

export class OrderEvent {
  constructor(
    readonly orderId: string,
    readonly status: OrderStatus,
  ) {}
}
