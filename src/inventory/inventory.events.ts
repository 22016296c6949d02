import { z } from 'zod';
import { defineEvent, type EventOf } from '../backbone/domain-event.js';
import { money } from '../common/values/money.js';

const sku = z.string();
const orderId = z.uuid();
const aboutProduct = (data: { sku: string }): string => `product/${data.sku}`;
const aboutStock = (data: { sku: string }): string => `stock/${data.sku}`;
const aboutReservation = (data: { orderId: string }): string => `reservation/${data.orderId}`;

export const ProductListed = defineEvent({
  type: 'inventory.product-listed.v1',
  description: 'A product can be ordered from now on, under this name and at this price.',
  subject: aboutProduct,
  data: z.object({ sku, name: z.string(), unitPrice: money }),
});
export type ProductListed = EventOf<typeof ProductListed>;

export const ProductRenamed = defineEvent({
  type: 'inventory.product-renamed.v1',
  description: 'A product has a new name. Orders keep the name that it had when they were placed.',
  subject: aboutProduct,
  data: z.object({ sku, name: z.string() }),
});
export type ProductRenamed = EventOf<typeof ProductRenamed>;

export const ProductRepriced = defineEvent({
  type: 'inventory.product-repriced.v1',
  description: 'A product has a new price. Orders keep the price that it had when they were placed.',
  subject: aboutProduct,
  data: z.object({ sku, unitPrice: money }),
});
export type ProductRepriced = EventOf<typeof ProductRepriced>;

export const ProductDiscontinued = defineEvent({
  type: 'inventory.product-discontinued.v1',
  description: 'A product can no longer be ordered. Existing orders of it are still fulfilled.',
  subject: aboutProduct,
  data: z.object({ sku }),
});
export type ProductDiscontinued = EventOf<typeof ProductDiscontinued>;

export const StockReceived = defineEvent({
  type: 'inventory.stock-received.v1',
  description: 'Goods arrived in the warehouse.',
  subject: aboutStock,
  data: z.object({ sku, quantity: z.int(), reference: z.string() }),
  allowNoSubscribers: true,
});
export type StockReceived = EventOf<typeof StockReceived>;

export const StockAdjusted = defineEvent({
  type: 'inventory.stock-adjusted.v1',
  description: 'The units on hand were corrected, for example after a count or a loss.',
  subject: aboutStock,
  data: z.object({ sku, change: z.int(), reason: z.string() }),
  allowNoSubscribers: true,
});
export type StockAdjusted = EventOf<typeof StockAdjusted>;

export const StockReserved = defineEvent({
  type: 'inventory.stock-reserved.v1',
  description: 'All lines of an order are reserved.',
  subject: aboutReservation,
  data: z.object({ orderId }),
});
export type StockReserved = EventOf<typeof StockReserved>;

export const StockShort = defineEvent({
  type: 'inventory.stock-short.v1',
  description:
    'At least one line of an order exceeds the available units, so no line was reserved. `lines` has the short ones.',
  subject: aboutReservation,
  data: z.object({
    orderId,
    lines: z.array(z.object({ sku, requested: z.int(), available: z.int() })),
  }),
});
export type StockShort = EventOf<typeof StockShort>;

export const StockReleased = defineEvent({
  type: 'inventory.stock-released.v1',
  description: 'The units that were reserved for an order are available again.',
  subject: aboutReservation,
  data: z.object({ orderId }),
  allowNoSubscribers: true,
});
export type StockReleased = EventOf<typeof StockReleased>;

export const StockDispatched = defineEvent({
  type: 'inventory.stock-dispatched.v1',
  description: 'The units that were reserved for an order left the warehouse.',
  subject: aboutReservation,
  data: z.object({ orderId }),
  allowNoSubscribers: true,
});
export type StockDispatched = EventOf<typeof StockDispatched>;

export const StockRanLow = defineEvent({
  type: 'inventory.stock-ran-low.v1',
  description: 'The available units of a product fell to its reorder level or below. Published once per crossing.',
  subject: aboutStock,
  data: z.object({ sku, name: z.string(), available: z.int(), reorderLevel: z.int() }),
});
export type StockRanLow = EventOf<typeof StockRanLow>;

export const StockReplenished = defineEvent({
  type: 'inventory.stock-replenished.v1',
  description: 'The available units of a product rose above its reorder level again.',
  subject: aboutStock,
  data: z.object({ sku, available: z.int(), reorderLevel: z.int() }),
  allowNoSubscribers: true,
});
export type StockReplenished = EventOf<typeof StockReplenished>;
