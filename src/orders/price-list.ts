import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import type { Money } from '../common/values/money.js';
import type { PricedLine } from './order-line.entity.js';
import { ProductsNotForSale } from './orders.errors.js';
import { Price } from './price.entity.js';

/** A row of the price list. The driver returns bigint as a string. */
interface SellingPrice extends Pick<Price, 'sku' | 'name' | 'currency'> {
  readonly unitAmount: string;
}

const FIND_SELLING_PRICES = `
  SELECT sku, name, unit_amount AS "unitAmount", currency FROM orders.price WHERE sku = ANY ($1::text[]) AND is_sold`;

const ADD = 'INSERT INTO orders.price (sku, name, unit_amount, currency) VALUES ($1, $2, $3, $4)';

/** The prices at which orders are placed. */
@Injectable()
export class PriceList {
  /** @throws {ProductsNotForSale} naming every SKU that cannot be ordered */
  async price(wanted: readonly Pick<PricedLine, 'sku' | 'quantity'>[], tx: Transaction): Promise<PricedLine[]> {
    const skus = [...new Set(wanted.map(({ sku }) => sku))];
    const prices = new Map((await tx.query<SellingPrice>(FIND_SELLING_PRICES, [skus])).map((each) => [each.sku, each]));
    const missing = skus.filter((sku) => !prices.has(sku));
    if (missing.length > 0) throw new ProductsNotForSale(missing);
    return wanted.flatMap(({ sku, quantity }) => {
      const price = prices.get(sku);
      if (!price) return [];
      const { name, unitAmount, currency } = price;
      return [{ sku, quantity, name, unitPrice: { amount: Number(unitAmount), currency } }];
    });
  }

  add(sku: string, name: string, { amount, currency }: Money, tx: Transaction): void {
    tx.send(ADD, [sku, name, amount, currency]);
  }

  /**
   * @throws {Error} when the product is not on the list, which cannot happen: ProductListed is the first event of its
   * subject
   */
  async change(sku: string, change: Partial<Omit<Price, 'sku'>>, { manager }: Transaction): Promise<void> {
    const { affected } = await manager.update(Price, { sku }, change);
    if (affected === 0) throw new Error(`${sku} is not on the price list`);
  }
}
