import { In } from 'typeorm';
import type { Transaction } from '../backbone/transaction.js';
import { StockRanLow, StockReplenished } from './inventory.events.js';
import { Product } from './product.entity.js';

/** A change of the available units of a product, read while the level is locked. */
export interface LevelChange {
  readonly sku: string;
  readonly before: number;
  readonly after: number;
  readonly reorderLevel: number;
}

/**
 * Stock is low at the reorder level or below. Only a crossing is published, not every sale of a product that is low.
 */
export function crossing({
  before,
  after,
  reorderLevel,
}: Omit<LevelChange, 'sku'>): 'ran low' | 'replenished' | undefined {
  const wasLow = before <= reorderLevel;
  const isLow = after <= reorderLevel;
  if (wasLow === isLow) return undefined;
  return isLow ? 'ran low' : 'replenished';
}

/** Publishes an event for each product that crossed its reorder level, except for discontinued products. */
export async function publishCrossings(tx: Transaction, changes: readonly LevelChange[]): Promise<void> {
  const crossed = changes.filter((change) => crossing(change));
  if (crossed.length === 0) return;
  const skus = crossed.map(({ sku }) => sku);
  const products = await tx.manager.findBy(Product, { sku: In(skus), status: 'active' });
  const names = new Map(products.map(({ sku, name }) => [sku, name]));
  for (const { sku, before, after: available, reorderLevel } of crossed) {
    const name = names.get(sku);
    if (name === undefined) continue;
    if (crossing({ before, after: available, reorderLevel }) === 'ran low')
      tx.publish(StockRanLow({ sku, name, available, reorderLevel }));
    else tx.publish(StockReplenished({ sku, available, reorderLevel }));
  }
}
