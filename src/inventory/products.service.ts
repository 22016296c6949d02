import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../backbone/transaction.js';
import { Transactions } from '../backbone/transaction.js';
import { isSameMoney, type Money } from '../common/values/money.js';
import { ProductNotFound } from './inventory.errors.js';
import { ProductDiscontinued, ProductListed, ProductRenamed, ProductRepriced } from './inventory.events.js';
import { Product, type ProductStatus } from './product.entity.js';
import { Stock } from './stock.entity.js';
import { publishCrossings } from './stock-alarm.js';

/** The fields of a product that the API sets. */
export interface ProductDraft {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly unitPrice: Money;
  readonly reorderLevel: number;
}

/** A product with its stock level. */
export interface StockedProduct extends ProductDraft {
  readonly status: ProductStatus;
  readonly stock: Pick<Stock, 'onHand' | 'reserved' | 'available'>;
}

/** `listed`: the product is new. */
export type PutOutcome = 'listed' | 'changed' | 'unchanged';

/** The use cases of the product catalogue. */
@Injectable()
export class ProductsService {
  constructor(private readonly transactions: Transactions) {}

  /** Adds a product, or changes the one with this SKU. A discontinued product stays discontinued. */
  put(draft: ProductDraft): Promise<{ isNew: boolean; product: StockedProduct }> {
    return this.transactions.run(async (tx) => {
      const outcomes = await this.putAll([draft], tx);
      return { isNew: outcomes.get(draft.sku) === 'listed', product: await stocked(draft.sku, tx) };
    });
  }

  /**
   * Adds or changes many products in the caller's transaction. Each SKU may occur once. Rows are locked in the sequence
   * of the SKUs, as everywhere.
   */
  async putAll(drafts: readonly ProductDraft[], tx: Transaction): Promise<Map<string, PutOutcome>> {
    const outcomes = new Map<string, PutOutcome>();
    const sorted = drafts.toSorted((one, other) => (one.sku < other.sku ? -1 : 1));
    const inserted = await insert(sorted, tx);
    for (const draft of sorted) {
      const { sku, name, unitPrice } = draft;
      if (!inserted.has(sku)) continue;
      outcomes.set(sku, 'listed');
      tx.publish(ProductListed({ sku, name, unitPrice }));
    }
    const existing = sorted.filter(({ sku }) => !inserted.has(sku));
    for (const draft of existing) outcomes.set(draft.sku, 'unchanged');
    for (const draft of await changedAmong(existing, tx)) outcomes.set(draft.sku, await change(draft, tx));
    return outcomes;
  }

  /** Takes a product off sale. Does nothing when it is discontinued already. */
  discontinue(sku: string): Promise<StockedProduct> {
    return this.transactions.run(async (tx) => {
      const product = await lock(sku, tx);
      if (product.status === 'active') {
        await tx.manager.update(Product, { sku }, { status: 'discontinued' });
        tx.publish(ProductDiscontinued({ sku }));
      }
      return stocked(sku, tx);
    });
  }
}

const INSERT = `
  WITH listed AS (
    INSERT INTO inventory.product (sku, id, name, category, unit_amount, currency)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[])
        ON CONFLICT (sku) DO NOTHING RETURNING sku)
  INSERT INTO inventory.stock (sku, reorder_level)
  SELECT sku, given.reorder_level
    FROM listed JOIN unnest($1::text[], $7::integer[]) AS given(sku, reorder_level) USING (sku)
  RETURNING sku`;

/** Inserts the products that do not exist, and their empty stock levels, in one statement. Returns their SKUs. */
async function insert(drafts: readonly ProductDraft[], tx: Transaction): Promise<Set<string>> {
  const rows = await tx.query<{ sku: string }>(INSERT, [
    drafts.map(({ sku }) => sku),
    drafts.map(() => uuidv7()),
    drafts.map(({ name }) => name),
    drafts.map(({ category }) => category),
    drafts.map(({ unitPrice }) => unitPrice.amount),
    drafts.map(({ unitPrice }) => unitPrice.currency),
    drafts.map(({ reorderLevel }) => reorderLevel),
  ]);
  return new Set(rows.map(({ sku }) => sku));
}

/** The drafts that differ from the stored products. Reads without locks; `change` compares again under a lock. */
async function changedAmong(drafts: readonly ProductDraft[], { manager }: Transaction): Promise<ProductDraft[]> {
  const skus = drafts.map(({ sku }) => sku);
  const products = new Map((await manager.findBy(Product, { sku: In(skus) })).map((each) => [each.sku, each]));
  const stocks = new Map((await manager.findBy(Stock, { sku: In(skus) })).map((each) => [each.sku, each]));
  return drafts.filter((draft) => {
    const product = products.get(draft.sku);
    return !product || product.differsFrom(draft) || stocks.get(draft.sku)?.reorderLevel !== draft.reorderLevel;
  });
}

async function lock(sku: string, { manager }: Transaction): Promise<Product> {
  const product = await manager.findOne(Product, { where: { sku }, lock: { mode: 'pessimistic_write' } });
  if (!product) throw new ProductNotFound(sku);
  return product;
}

async function change(draft: ProductDraft, tx: Transaction): Promise<PutOutcome> {
  const { sku, name, category, unitPrice } = draft;
  const product = await lock(sku, tx);
  const isReorderLevelNew = await changeReorderLevel(draft, tx);
  if (!product.differsFrom(draft)) return isReorderLevelNew ? 'changed' : 'unchanged';
  const { amount: unitAmount, currency } = unitPrice;
  await tx.manager.update(Product, { sku }, { name, category, unitAmount, currency });
  if (product.name !== name) tx.publish(ProductRenamed({ sku, name }));
  if (!isSameMoney(product.unitPrice, unitPrice)) tx.publish(ProductRepriced({ sku, unitPrice }));
  return 'changed';
}

async function changeReorderLevel({ sku, reorderLevel }: ProductDraft, tx: Transaction): Promise<boolean> {
  const stock = await tx.manager.findOneOrFail(Stock, { where: { sku }, lock: { mode: 'pessimistic_write' } });
  if (stock.reorderLevel === reorderLevel) return false;
  await tx.manager.update(Stock, { sku }, { reorderLevel });
  // The stock has not changed. `before` is as far from the new level as the stock was from the old one, so a crossing is
  // found exactly when the stock was on the other side of the old level.
  const before = stock.available + reorderLevel - stock.reorderLevel;
  await publishCrossings(tx, [{ sku, before, after: stock.available, reorderLevel }]);
  return true;
}

async function stocked(sku: string, { manager }: Transaction): Promise<StockedProduct> {
  const product = await manager.findOneByOrFail(Product, { sku });
  return withStock(product, await manager.findOneByOrFail(Stock, { sku }));
}

export function withStock({ sku, name, category, unitPrice, status }: Product, stock: Stock): StockedProduct {
  const { onHand, reserved, available, reorderLevel } = stock;
  return { sku, name, category, unitPrice, reorderLevel, status, stock: { onHand, reserved, available } };
}
