import { Injectable } from '@nestjs/common';
import { ReactsTo } from '../backbone/decorators.js';
import type { Transaction } from '../backbone/transaction.js';
import {
  ProductDiscontinued,
  ProductListed,
  ProductRenamed,
  ProductRepriced,
  StockReserved,
  StockShort,
} from '../inventory/inventory.events.js';
import { OrdersService } from './orders.service.js';
import { PriceList } from './price-list.js';

/** The reactions of orders to the events of inventory. */
@Injectable()
export class OrdersReactions {
  constructor(
    private readonly orders: OrdersService,
    private readonly priceList: PriceList,
  ) {}

  @ReactsTo(StockReserved)
  async confirmOrder({ data }: StockReserved, tx: Transaction): Promise<void> {
    await this.orders.confirm(data.orderId, tx);
  }

  @ReactsTo(StockShort)
  async rejectOrder({ data }: StockShort, tx: Transaction): Promise<void> {
    await this.orders.reject(data.orderId, { reason: 'out-of-stock', lines: data.lines }, tx);
  }

  @ReactsTo(ProductListed)
  async addPrice({ data }: ProductListed, tx: Transaction): Promise<void> {
    this.priceList.add(data.sku, data.name, data.unitPrice, tx);
  }

  @ReactsTo(ProductRenamed)
  async renameOnPriceList({ data }: ProductRenamed, tx: Transaction): Promise<void> {
    await this.priceList.change(data.sku, { name: data.name }, tx);
  }

  @ReactsTo(ProductRepriced)
  async changePrice({ data }: ProductRepriced, tx: Transaction): Promise<void> {
    const { amount: unitAmount, currency } = data.unitPrice;
    await this.priceList.change(data.sku, { unitAmount, currency }, tx);
  }

  @ReactsTo(ProductDiscontinued)
  async withdrawFromSale({ data }: ProductDiscontinued, tx: Transaction): Promise<void> {
    await this.priceList.change(data.sku, { isSold: false }, tx);
  }
}
