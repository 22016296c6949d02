import { Injectable } from '@nestjs/common';
import { ILike, In, LessThan } from 'typeorm';
import { z } from 'zod';
import { Transactions } from '../backbone/transaction.js';
import { decodeCursor, type Page, pageOf } from '../common/http/pagination.js';
import type { MovementQuery, ProductQuery } from './inventory.dto.js';
import { ProductNotFound } from './inventory.errors.js';
import { Movement } from './movement.entity.js';
import { Product } from './product.entity.js';
import { type StockedProduct, withStock } from './products.service.js';
import { Stock } from './stock.entity.js';

const productCursor = z.tuple([z.uuid()]);
const movementCursor = z.tuple([z.int()]);

/** Reads products and stock for the API. */
@Injectable()
export class InventoryQueries {
  constructor(private readonly transactions: Transactions) {}

  /** @throws {ProductNotFound} */
  product(sku: string): Promise<StockedProduct> {
    return this.transactions.read(async (manager) => {
      const product = await manager.findOneBy(Product, { sku });
      if (!product) throw new ProductNotFound(sku);
      return withStock(product, await manager.findOneByOrFail(Stock, { sku }));
    });
  }

  products({ search, category, status, cursor, limit }: ProductQuery): Promise<Page<StockedProduct>> {
    const where = {
      ...(category !== undefined && { category }),
      ...(status !== undefined && { status }),
      ...(cursor !== undefined && { id: LessThan(decodeCursor(cursor, productCursor)[0]) }),
    };
    const pattern = search === undefined ? undefined : ILike(`%${search.replace(/[\\%_]/g, '\\$&')}%`);
    return this.transactions.read(async (manager) => {
      const rows = await manager.find(Product, {
        where: pattern
          ? [
              { ...where, sku: pattern },
              { ...where, name: pattern },
            ]
          : where,
        order: { id: 'DESC' },
        take: limit + 1,
      });
      const page = pageOf(rows, limit, ({ id }) => [id]);
      const stocks = await manager.findBy(Stock, { sku: In(page.items.map(({ sku }) => sku)) });
      const bySku = new Map(stocks.map((stock) => [stock.sku, stock]));
      const items = page.items.flatMap((product) => {
        const stock = bySku.get(product.sku);
        return stock ? [withStock(product, stock)] : [];
      });
      return { ...page, items };
    });
  }

  /** @throws {ProductNotFound} */
  stock(sku: string): Promise<Stock> {
    return this.transactions.read(async (manager) => {
      const stock = await manager.findOneBy(Stock, { sku });
      if (!stock) throw new ProductNotFound(sku);
      return stock;
    });
  }

  /** The ledger of a product, newest first. @throws {ProductNotFound} */
  async movements(sku: string, { limit, cursor }: MovementQuery): Promise<Page<Movement>> {
    await this.stock(sku);
    const before = cursor === undefined ? {} : { id: LessThan(decodeCursor(cursor, movementCursor)[0]) };
    return this.transactions.read(async (manager) => {
      const rows = await manager.find(Movement, { where: { sku, ...before }, order: { id: 'DESC' }, take: limit + 1 });
      return pageOf(rows, limit, ({ id }) => [id]);
    });
  }
}
