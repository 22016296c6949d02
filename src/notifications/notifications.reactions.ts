import { Inject, Injectable } from '@nestjs/common';
import { type DurableOptions, SideEffect, type SideEffectContext } from '../backbone/decorators.js';
import { formatMoney } from '../common/values/money.js';
import { CONFIG, type Config } from '../config.js';
import { StockRanLow } from '../inventory/inventory.events.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderRejected,
  OrderShipped,
} from '../orders/orders.events.js';
import { NotificationsService } from './notifications.service.js';
import { orderCancelled } from './templates/order-cancelled.js';
import { orderConfirmed } from './templates/order-confirmed.js';
import { orderDelivered } from './templates/order-delivered.js';
import { orderRejected } from './templates/order-rejected.js';
import { orderShipped } from './templates/order-shipped.js';
import { stockRanLow } from './templates/stock-ran-low.js';

/**
 * A mail server may be away for a night: the pauses grow from two seconds to an hour and add up to about a day. The
 * mails of one order stand in one line, so that none overtakes; but each makes sense alone, so behind a dead one the
 * others pass.
 */
const MAIL = {
  orderingGroup: 'emails',
  attempts: 35,
  backoff: { firstMs: 2_000, maxMs: 3_600_000 },
  timeoutMs: 30_000,
  behindDead: 'pass',
} as const satisfies DurableOptions;

const aboutOrder = (id: string) => ({ kind: 'order', id }) as const;

/** Everything that people are told. Each may run twice: the event's id makes the second run a no-op. */
@Injectable()
export class NotificationsReactions {
  constructor(
    private readonly notifications: NotificationsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @SideEffect(OrderConfirmed, MAIL)
  async emailConfirmation(event: OrderConfirmed, context: SideEffectContext): Promise<void> {
    const { orderId, customer } = event.data;
    const lines = event.data.lines.map((line) => ({ ...line, total: formatMoney(line.lineTotal) }));
    const total = formatMoney(event.data.total);
    const letter = orderConfirmed({ orderId, customerName: customer.name, lines, total });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderRejected, MAIL)
  async emailRejection(event: OrderRejected, context: SideEffectContext): Promise<void> {
    const { orderId, customer, reason, lines } = event.data;
    const letter = orderRejected({ orderId, customerName: customer.name, reason, lines });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderCancelled, MAIL)
  async emailCancellation(event: OrderCancelled, context: SideEffectContext): Promise<void> {
    const { orderId, customer, reason } = event.data;
    const letter = orderCancelled({ orderId, customerName: customer.name, reason });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderShipped, MAIL)
  async emailShipment(event: OrderShipped, context: SideEffectContext): Promise<void> {
    const { orderId, customer, carrier, trackingNumber } = event.data;
    const letter = orderShipped({ orderId, customerName: customer.name, carrier, trackingNumber });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderDelivered, MAIL)
  async emailDelivery(event: OrderDelivered, context: SideEffectContext): Promise<void> {
    const { orderId, customer } = event.data;
    const letter = orderDelivered({ orderId, customerName: customer.name });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(StockRanLow, MAIL)
  async emailLowStock(event: StockRanLow, context: SideEffectContext): Promise<void> {
    const about = { kind: 'product', id: event.data.sku } as const;
    const to = this.config.mail.operators;
    await this.notifications.sendOnce(event, { to, about, letter: stockRanLow(event.data) }, context);
  }
}
