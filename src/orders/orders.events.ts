import { z } from 'zod';
import { defineEvent, type EventOf, personal } from '../backbone/domain-event.js';
import { money } from '../common/values/money.js';

const orderId = z.uuid();
const customer = z.object({ name: personal(z.string()), email: personal(z.string()) });
const about = (data: { orderId: string }): string => `order/${data.orderId}`;

export const OrderPlaced = defineEvent({
  type: 'orders.order-placed.v1',
  description: 'An order was accepted and stored. Nothing is reserved yet: inventory reserves the stock next.',
  subject: about,
  data: z.object({ orderId, lines: z.array(z.object({ sku: z.string(), quantity: z.int() })) }),
});
export type OrderPlaced = EventOf<typeof OrderPlaced>;

export const OrderConfirmed = defineEvent({
  type: 'orders.order-confirmed.v1',
  description: 'All lines are reserved: the shop now owes the customer this order.',
  subject: about,
  data: z.object({
    orderId,
    customer,
    lines: z.array(z.object({ sku: z.string(), name: z.string(), quantity: z.int(), lineTotal: money })),
    total: money,
  }),
});
export type OrderConfirmed = EventOf<typeof OrderConfirmed>;

export const OrderRejected = defineEvent({
  type: 'orders.order-rejected.v1',
  description: 'The order cannot be fulfilled, because stock is short. Nothing is reserved for it.',
  subject: about,
  data: z.object({
    orderId,
    customer,
    reason: z.string(),
    lines: z.array(z.object({ sku: z.string(), name: z.string(), requested: z.int(), available: z.int() })),
  }),
});
export type OrderRejected = EventOf<typeof OrderRejected>;

export const OrderCancelled = defineEvent({
  type: 'orders.order-cancelled.v1',
  description: 'The order was cancelled before it was shipped. Inventory releases its reserved stock.',
  subject: about,
  data: z.object({ orderId, customer, reason: z.string() }),
});
export type OrderCancelled = EventOf<typeof OrderCancelled>;

export const OrderShipped = defineEvent({
  type: 'orders.order-shipped.v1',
  description: 'The parcel left the warehouse with a carrier.',
  subject: about,
  data: z.object({ orderId, customer, carrier: z.string(), trackingNumber: z.string() }),
});
export type OrderShipped = EventOf<typeof OrderShipped>;

export const OrderDelivered = defineEvent({
  type: 'orders.order-delivered.v1',
  description: 'The parcel reached the customer. The order is finished.',
  subject: about,
  data: z.object({ orderId, customer }),
});
export type OrderDelivered = EventOf<typeof OrderDelivered>;
