import { z } from 'zod';
import { email, isoTime, quantity, sku, text } from '../common/http/fields.js';
import { pageQuery } from '../common/http/pagination.js';
import { money } from '../common/values/money.js';
import type { Order } from './order.entity.js';
import { ORDER_STATUSES } from './order-status.js';

const LINES_MAX = 200;

const customer = z.strictObject({ name: text(200), email });

const address = z.strictObject({
  name: text(200),
  street: text(200),
  city: text(100),
  region: text(100).optional(),
  postalCode: text(20).optional(),
  country: text(60),
});

const reference = text(100).meta({ description: "The customer's own number for this order" });

export const orderId = z.uuid();

export const orderBody = z
  .strictObject({
    customer,
    shippingAddress: address,
    lines: z
      .array(z.strictObject({ sku, quantity }))
      .min(1)
      .max(LINES_MAX)
      .meta({ description: 'Several lines with one SKU are reserved as one quantity' }),
    reference: reference.optional(),
  })
  .meta({ id: 'OrderInput' });

export const cancellationBody = z.strictObject({ reason: text(500) }).meta({ id: 'Cancellation' });

export const shipmentBody = z.strictObject({ carrier: text(100), trackingNumber: text(100) }).meta({ id: 'Shipment' });

export const deliveryBody = z.strictObject({}).optional().meta({ id: 'Delivery' });

export const orderView = z
  .object({
    id: orderId,
    status: z.enum(ORDER_STATUSES),
    version: z.int().meta({ description: 'Increases by one with each change' }),
    customer: z.object(customer.shape),
    shippingAddress: z.object(address.shape),
    reference: z.string().nullable(),
    lines: z.array(z.object({ sku, name: z.string(), quantity, unitPrice: money, lineTotal: money })),
    total: money,
    placedAt: z.iso.datetime(),
    rejection: z
      .object({
        reason: z.string(),
        lines: z.array(z.object({ sku, requested: z.int(), available: z.int() })),
      })
      .optional(),
    cancellation: z.object({ reason: z.string() }).optional(),
    shipment: z.object({ carrier: z.string(), trackingNumber: z.string() }).optional(),
  })
  .meta({ id: 'Order' });
export type OrderView = z.infer<typeof orderView>;

export const orderQuery = z.strictObject({
  status: z.enum(ORDER_STATUSES).optional(),
  email: email.optional(),
  reference: reference.optional(),
  placedAfter: isoTime.optional(),
  placedBefore: isoTime.optional(),
  ...pageQuery,
});
export type OrderQuery = z.output<typeof orderQuery>;

/** The order as the API shows it. */
export function orderViewOf(order: Order): OrderView {
  const { id, status, version, customer, shippingAddress, reference, total, currency } = order;
  const { rejection, cancellation, shipment } = order;
  return {
    id,
    status,
    version,
    customer,
    shippingAddress,
    reference,
    lines: order.lines.map(({ sku, name, quantity, unitAmount, lineAmount }) => ({
      sku,
      name,
      quantity,
      unitPrice: { amount: unitAmount, currency },
      lineTotal: { amount: lineAmount, currency },
    })),
    total,
    placedAt: order.placedAt.toISOString(),
    ...(rejection && { rejection: { reason: rejection.reason, lines: [...rejection.lines] } }),
    ...(cancellation && { cancellation }),
    ...(shipment && { shipment }),
  };
}
