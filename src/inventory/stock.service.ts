import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { Transactions } from '../backbone/transaction.js';
import { ProductNotFound, StockWouldBeNegative } from './inventory.errors.js';
import { StockAdjusted, StockReceived } from './inventory.events.js';
import { book } from './ledger.js';
import type { Movement } from './movement.entity.js';
import { Stock } from './stock.entity.js';
import { publishCrossings } from './stock-alarm.js';

/** Goods that arrived in the warehouse. */
export interface Receipt {
  readonly quantity: number;
  /** The delivery note or purchase order. */
  readonly reference: string;
}

/** A correction of the units on hand. */
export interface Adjustment {
  readonly change: number;
  readonly reason: string;
}

/** The first receipt of a new product. */
export interface OpeningStock {
  readonly sku: string;
  readonly onHand: number;
}

/** The reference of the first receipt of a new product. */
const OPENING_STOCK = 'opening stock';

/** The use cases of stock: receipts and adjustments. */
@Injectable()
export class StockService {
  constructor(private readonly transactions: Transactions) {}

  receive(sku: string, { quantity, reference }: Receipt): Promise<Movement> {
    return this.transactions.run(async (tx) => {
      const { available, reorderLevel } = await lock(sku, tx);
      const movement = await book(tx, { sku, kind: 'receipt', change: quantity, reason: reference });
      tx.publish(StockReceived({ sku, quantity, reference }));
      await publishCrossings(tx, [{ sku, before: available, after: available + quantity, reorderLevel }]);
      return movement;
    });
  }

  /**
   * Books the first receipts of new products. It publishes no crossing of the reorder level: new stock is no
   * replenishment.
   */
  async bookOpeningStock(products: readonly OpeningStock[], tx: Transaction): Promise<void> {
    for (const { sku, onHand } of products)
      tx.publish(StockReceived({ sku, quantity: onHand, reference: OPENING_STOCK }));
    const sql = `INSERT INTO inventory.movement (sku, kind, change, reason)
                 SELECT sku, 'receipt', on_hand, $3 FROM unnest($1::text[], $2::bigint[]) AS opening(sku, on_hand)`;
    const columns = [products.map(({ sku }) => sku), products.map(({ onHand }) => onHand)];
    if (products.length > 0) await tx.manager.query(sql, [...columns, OPENING_STOCK]);
  }

  /** @throws {StockWouldBeNegative} when the change takes away more units than are available */
  adjust(sku: string, { change, reason }: Adjustment): Promise<Movement> {
    return this.transactions.run(async (tx) => {
      const { available, reorderLevel } = await lock(sku, tx);
      if (available + change < 0) throw new StockWouldBeNegative(sku, change, available);
      const movement = await book(tx, { sku, kind: 'adjustment', change, reason });
      tx.publish(StockAdjusted({ sku, change, reason }));
      await publishCrossings(tx, [{ sku, before: available, after: available + change, reorderLevel }]);
      return movement;
    });
  }
}

async function lock(sku: string, { manager }: Transaction): Promise<Stock> {
  const stock = await manager.findOne(Stock, { where: { sku }, lock: { mode: 'pessimistic_write' } });
  if (!stock) throw new ProductNotFound(sku);
  return stock;
}
