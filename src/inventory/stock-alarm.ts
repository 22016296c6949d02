import { In } from 'typeorm';
import type { Transaction } from '../backbone/transaction.js';
import { StockRanLow, StockReplenished } from './inventory.events.js';
import { Product } from './product.entity.js';

/** What one change did to what is available of a product, seen by whoever holds its level's lock. */
export interface LevelChange {
  readonly sku: string;
  readonly before: number;
  readonly after: number;
  readonly reorderLevel: number;
}

/** Low means at the reorder level or below. Only a crossing is worth a word, or every sale of a low product were one. */
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

/** Says which products crossed their reorder levels. Products that are no longer sold run out without a word. */
export async function sayCrossings(tx: Transaction, changes: readonly LevelChange[]): Promise<void> {
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
