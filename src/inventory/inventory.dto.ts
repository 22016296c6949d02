import { z } from 'zod';
import { quantity, sku, text } from '../common/http/fields.js';
import { pageQuery } from '../common/http/pagination.js';
import { money } from '../common/values/money.js';
import { MOVEMENT_KINDS } from './movement.entity.js';
import { PRODUCT_STATUSES } from './product.entity.js';

/** More than any warehouse holds, and far from where PostgreSQL and JavaScript stop counting. */
const LEVEL_MAX = 1_000_000_000;

const price = money.refine(({ amount }) => amount >= 0, 'A price is not negative');

const sold = {
  name: text(200).meta({ example: 'Chai' }),
  category: text(100).meta({ example: 'Beverages' }),
  unitPrice: price,
  reorderLevel: z
    .int()
    .min(0)
    .max(LEVEL_MAX)
    .meta({ description: 'Low stock is said at this many available or fewer' }),
};

/** A product of the demo catalogue, to try an operation on as it stands. */
export const skuParam = (example: string) => sku.meta({ example });

export const productBody = z.strictObject(sold).meta({ id: 'ProductInput' });

export const importLine = z.strictObject({ sku, ...sold, onHand: z.int().min(0).max(LEVEL_MAX).optional() });

const stockFigures = {
  onHand: z.int().meta({ description: 'In the warehouse' }),
  reserved: z.int().meta({ description: 'Set aside for confirmed orders' }),
  available: z.int().meta({ description: 'On hand and not reserved' }),
};

export const productView = z
  .object({ sku, ...sold, status: z.enum(PRODUCT_STATUSES), stock: z.object(stockFigures) })
  .meta({ id: 'Product' });

export const productQuery = z.strictObject({
  search: text(100).optional().meta({ description: 'Part of the SKU or of the name' }),
  category: text(100).optional(),
  status: z.enum(PRODUCT_STATUSES).optional(),
  ...pageQuery,
});
export type ProductQuery = z.infer<typeof productQuery>;

export const importReport = z
  .object({
    listed: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    rejected: z.array(z.object({ line: z.int(), code: z.string(), detail: z.string() })),
    rejectedTotal: z.int().meta({ description: 'All refused lines; `rejected` names the first 1,000 of them' }),
  })
  .meta({ id: 'ImportReport' });

export const receiptBody = z
  .strictObject({ quantity, reference: text(100).meta({ example: 'PO-1' }) })
  .meta({ id: 'Receipt', example: { quantity: 39, reference: 'PO-1' } });

export const adjustmentBody = z
  .strictObject({
    change: z
      .int()
      .min(-LEVEL_MAX)
      .max(LEVEL_MAX)
      .refine((change) => change !== 0, 'A change of 0 changes nothing'),
    reason: text(200).meta({ example: 'damaged' }),
  })
  .meta({ id: 'Adjustment', example: { change: -2, reason: 'damaged' } });

export const stockView = z.object({ sku, ...stockFigures, reorderLevel: z.int() }).meta({ id: 'Stock' });

export const movementView = z
  .object({
    id: z.int(),
    sku,
    kind: z.enum(MOVEMENT_KINDS),
    change: z.int().meta({ description: 'All changes of a product sum to what is on hand' }),
    onHand: z.int().meta({ description: 'What was on hand afterwards' }),
    reason: z
      .string()
      .meta({ description: "The receipt's reference, the adjustment's reason, or the shipped order's id" }),
    bookedAt: z.iso.datetime(),
  })
  .meta({ id: 'Movement' });

export const movementQuery = z.strictObject(pageQuery);
