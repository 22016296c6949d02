import { z } from 'zod';
import { quantity, sku, text } from '../common/http/fields.js';
import { pageQuery } from '../common/http/pagination.js';
import { money } from '../common/values/money.js';
import { MOVEMENT_KINDS } from './movement.entity.js';
import { PRODUCT_STATUSES } from './product.entity.js';
import type { Stock } from './stock.entity.js';

/** More than any warehouse holds, and far below the limits of bigint and of safe integers. */
const LEVEL_MAX = 1_000_000_000;

const price = money.refine(({ amount }) => amount >= 0, 'A price is not negative');

const terms = {
  name: text(200).meta({ example: 'Chai' }),
  category: text(100).meta({ example: 'Beverages' }),
  unitPrice: price,
  reorderLevel: z
    .int()
    .min(0)
    .max(LEVEL_MAX)
    .meta({ description: 'Stock is low when this number of units or fewer are available' }),
};

/** @param example a product of the demo catalogue, so that the operation can be tried in Swagger UI without changes */
export const skuParam = (example: string) => sku.meta({ example });

export const productBody = z.strictObject(terms).meta({ id: 'ProductInput' });

export const importLine = z.strictObject({ sku, ...terms, onHand: z.int().min(0).max(LEVEL_MAX).optional() });

const stockFigures = {
  onHand: z.int().meta({ description: 'Units in the warehouse' }),
  reserved: z.int().meta({ description: 'Units reserved for confirmed orders' }),
  available: z.int().meta({ description: 'Units on hand that are not reserved' }),
};

export const productView = z
  .object({ sku, ...terms, status: z.enum(PRODUCT_STATUSES), stock: z.object(stockFigures) })
  .meta({ id: 'Product' });

export const productQuery = z.strictObject({
  search: text(100).optional().meta({ description: 'Part of the SKU or of the name' }),
  category: text(100).optional(),
  status: z.enum(PRODUCT_STATUSES).optional(),
  ...pageQuery,
});
export type ProductQuery = z.output<typeof productQuery>;

export const importReport = z
  .object({
    listed: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    rejected: z.array(z.object({ line: z.int(), code: z.string(), detail: z.string() })),
    rejectedTotal: z.int().meta({ description: 'Number of rejected lines; `rejected` lists the first 1,000' }),
  })
  .meta({ id: 'ImportReport' });
export type ImportReport = z.infer<typeof importReport>;

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
export type StockView = z.infer<typeof stockView>;

export const movementView = z
  .object({
    id: z.int(),
    sku,
    kind: z.enum(MOVEMENT_KINDS),
    change: z.int().meta({ description: 'The changes of a product add up to its units on hand' }),
    onHand: z.int().meta({ description: 'Units on hand after the movement' }),
    reason: z.string().meta({
      description: 'The reference of the receipt, the reason of the adjustment, or the id of the shipped order',
    }),
    bookedAt: z.iso.datetime(),
  })
  .meta({ id: 'Movement' });

export const movementQuery = z.strictObject(pageQuery);
export type MovementQuery = z.output<typeof movementQuery>;

export function stockViewOf({ sku, onHand, reserved, available, reorderLevel }: Stock): StockView {
  return { sku, onHand, reserved, available, reorderLevel };
}
