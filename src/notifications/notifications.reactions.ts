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
 * Survives a mail server that is down for a night: the pauses grow from two seconds to an hour and add up to about a
 * day. The mails of one order are one partition, so they are sent in sequence. Each is useful alone, so the later ones
 * pass a dead one.
 */
const MAIL_OPTIONS = {
  orderingGroup: 'emails',
  attempts: 35,
  backoff: { firstMs: 2_000, maxMs: 3_600_000 },
  timeoutMs: 30_000,
  behindDead: 'pass',
} as const satisfies DurableOptions;

const aboutOrder = (id: string) => ({ kind: 'order', id }) as const;

/** The messages that events cause. A handler may run twice: the id of the event makes the second run a no-op. */
@Injectable()
export class NotificationsReactions {
  constructor(
    private readonly notifications: NotificationsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @SideEffect(OrderConfirmed, MAIL_OPTIONS)
  async emailConfirmation(event: OrderConfirmed, context: SideEffectContext): Promise<void> {
    const { orderId, customer } = event.data;
    const lines = event.data.lines.map((line) => ({ ...line, total: formatMoney(line.lineTotal) }));
    const total = formatMoney(event.data.total);
    const letter = orderConfirmed({ orderId, customerName: customer.name, lines, total });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderRejected, MAIL_OPTIONS)
  async emailRejection(event: OrderRejected, context: SideEffectContext): Promise<void> {
    const { orderId, customer, reason, lines } = event.data;
    const letter = orderRejected({ orderId, customerName: customer.name, reason, lines });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderCancelled, MAIL_OPTIONS)
  async emailCancellation(event: OrderCancelled, context: SideEffectContext): Promise<void> {
    const { orderId, customer, reason } = event.data;
    const letter = orderCancelled({ orderId, customerName: customer.name, reason });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderShipped, MAIL_OPTIONS)
  async emailShipment(event: OrderShipped, context: SideEffectContext): Promise<void> {
    const { orderId, customer, carrier, trackingNumber } = event.data;
    const letter = orderShipped({ orderId, customerName: customer.name, carrier, trackingNumber });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(OrderDelivered, MAIL_OPTIONS)
  async emailDelivery(event: OrderDelivered, context: SideEffectContext): Promise<void> {
    const { orderId, customer } = event.data;
    const letter = orderDelivered({ orderId, customerName: customer.name });
    await this.notifications.sendOnce(event, { to: customer.email, about: aboutOrder(orderId), letter }, context);
  }

  @SideEffect(StockRanLow, MAIL_OPTIONS)
  async emailLowStock(event: StockRanLow, context: SideEffectContext): Promise<void> {
    const about = { kind: 'product', id: event.data.sku } as const;
    const to = this.config.mail.operators;
    await this.notifications.sendOnce(event, { to, about, letter: stockRanLow(event.data) }, context);
  }
}
