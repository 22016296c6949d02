// The habit: every body has a schema, and unknown fields are refused.
import { z } from 'zod';

const quantity = z.int().min(1).max(1_000_000);

export const orderInput = z.strictObject({
  customer: z.strictObject({ name: z.string().min(1), email: z.email() }),
  shippingAddress: z.strictObject({
    name: z.string().min(1),
    street: z.string().min(1),
    city: z.string().min(1),
    region: z.string().optional(),
    postalCode: z.string().optional(),
    country: z.string().min(1),
  }),
  lines: z
    .array(z.strictObject({ sku: z.string().min(1), quantity }))
    .min(1)
    .max(200),
  reference: z.string().max(100).optional(),
});
export type OrderInput = z.output<typeof orderInput>;

export const cancellationInput = z.strictObject({ reason: z.string().min(1) });
export const shipmentInput = z.strictObject({ carrier: z.string().min(1), trackingNumber: z.string().min(1) });
export type ShipmentInput = z.output<typeof shipmentInput>;

export const receiptInput = z.strictObject({ quantity, reference: z.string().min(1) });

export const productLine = z.strictObject({
  sku: z.string().min(1).max(64),
  name: z.string().min(1),
  category: z.string().min(1),
  unitPrice: z.strictObject({ amount: z.int().min(0), currency: z.string().length(3) }),
  reorderLevel: z.int().min(0),
  onHand: z.int().min(0).optional(),
});
export type ProductLine = z.output<typeof productLine>;

export const pageQuery = z.object({
  cursor: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type PageQuery = z.output<typeof pageQuery>;
