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
import { sayCrossings } from './stock-alarm.js';

/** What the shop says about a product it sells. */
export interface ProductDraft {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly unitPrice: Money;
  readonly reorderLevel: number;
}

/** A product with what there is of it. */
export interface StockedProduct extends ProductDraft {
  readonly status: ProductStatus;
  readonly stock: Pick<Stock, 'onHand' | 'reserved' | 'available'>;
}

export type Listing = 'listed' | 'changed' | 'unchanged';

/** The catalogue: what is sold, under which name and at what price. */
@Injectable()
export class ProductsService {
  constructor(private readonly transactions: Transactions) {}

  /** Lists a product, or changes the one with this SKU. A discontinued one stays so. */
  put(draft: ProductDraft): Promise<{ isNew: boolean; product: StockedProduct }> {
    return this.transactions.run(async (tx) => {
      const listings = await this.putAll([draft], tx);
      return { isNew: listings.get(draft.sku) === 'listed', product: await stocked(draft.sku, tx) };
    });
  }

  /** Lists many at once, each SKU at most once, in the transaction of the caller. */
  async putAll(drafts: readonly ProductDraft[], tx: Transaction): Promise<Map<string, Listing>> {
    const listings = new Map<string, Listing>();
    const inOrder = drafts.toSorted((one, other) => (one.sku < other.sku ? -1 : 1));
    const listed = await insert(inOrder, tx);
    for (const draft of inOrder) {
      const { sku, name, unitPrice } = draft;
      if (!listed.has(sku)) continue;
      listings.set(sku, 'listed');
      tx.publish(ProductListed({ sku, name, unitPrice }));
    }
    const known = inOrder.filter(({ sku }) => !listed.has(sku));
    for (const draft of known) listings.set(draft.sku, 'unchanged');
    for (const draft of await differing(known, tx)) listings.set(draft.sku, await change(draft, tx));
    return listings;
  }

  /** Takes a product off sale; once is enough. */
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
  SELECT sku, w.reorder_level FROM listed JOIN unnest($1::text[], $7::integer[]) AS w(sku, reorder_level) USING (sku)
  RETURNING sku`;

/** Products and their empty levels, where there are none yet, in one statement however many they are. */
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

/** Those that say something else than what is stored. A look without locks: whoever changes looks again. */
async function differing(drafts: readonly ProductDraft[], { manager }: Transaction): Promise<ProductDraft[]> {
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

async function change(draft: ProductDraft, tx: Transaction): Promise<Listing> {
  const { sku, name, category, unitPrice } = draft;
  const product = await lock(sku, tx);
  const isRelevelled = await relevel(draft, tx);
  if (!product.differsFrom(draft)) return isRelevelled ? 'changed' : 'unchanged';
  const { amount: unitAmount, currency } = unitPrice;
  await tx.manager.update(Product, { sku }, { name, category, unitAmount, currency });
  if (product.name !== name) tx.publish(ProductRenamed({ sku, name }));
  if (!isSameMoney(product.unitPrice, unitPrice)) tx.publish(ProductRepriced({ sku, unitPrice }));
  return 'changed';
}

async function relevel({ sku, reorderLevel }: ProductDraft, tx: Transaction): Promise<boolean> {
  const stock = await tx.manager.findOneOrFail(Stock, { where: { sku }, lock: { mode: 'pessimistic_write' } });
  if (stock.reorderLevel === reorderLevel) return false;
  await tx.manager.update(Stock, { sku }, { reorderLevel });
  // Seen from the new level, the stock comes from where it stood above or below the old one.
  const before = stock.available + reorderLevel - stock.reorderLevel;
  await sayCrossings(tx, [{ sku, before, after: stock.available, reorderLevel }]);
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
