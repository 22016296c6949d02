import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { Transactions } from '../backbone/transaction.js';
import { ProductNotFound, StockWouldBeNegative } from './inventory.errors.js';
import { StockAdjusted, StockReceived } from './inventory.events.js';
import { book } from './ledger.js';
import type { Movement } from './movement.entity.js';
import { Stock } from './stock.entity.js';
import { sayCrossings } from './stock-alarm.js';

/** What came in. */
export interface Receipt {
  readonly quantity: number;
  /** The delivery note or purchase order. */
  readonly reference: string;
}

/** What a count found, or what happened to the goods. */
export interface Adjustment {
  readonly change: number;
  readonly reason: string;
}

/** What a product is listed with. */
export interface OpeningStock {
  readonly sku: string;
  readonly onHand: number;
}

/** The reference of a receipt that came with the product's listing. */
const OPENING = 'opening stock';

/** What comes in, and what a count finds. */
@Injectable()
export class StockService {
  constructor(private readonly transactions: Transactions) {}

  receive(sku: string, { quantity, reference }: Receipt): Promise<Movement> {
    return this.transactions.run(async (tx) => {
      const { available, reorderLevel } = await lock(sku, tx);
      const movement = await book(tx, { sku, kind: 'receipt', change: quantity, reason: reference });
      tx.publish(StockReceived({ sku, quantity, reference }));
      await sayCrossings(tx, [{ sku, before: available, after: available + quantity, reorderLevel }]);
      return movement;
    });
  }

  /** Books what a newly listed product starts with. That is no crossing: nobody has missed it yet. */
  async open(products: readonly OpeningStock[], tx: Transaction): Promise<void> {
    for (const { sku, onHand } of products) tx.publish(StockReceived({ sku, quantity: onHand, reference: OPENING }));
    const sql = `INSERT INTO inventory.movement (sku, kind, change, reason)
                 SELECT sku, 'receipt', on_hand, $3 FROM unnest($1::text[], $2::bigint[]) AS o(sku, on_hand)`;
    const columns = [products.map(({ sku }) => sku), products.map(({ onHand }) => onHand)];
    if (products.length > 0) await tx.manager.query(sql, [...columns, OPENING]);
  }

  /** @throws {StockWouldBeNegative} when goods would be taken away that are not there or set aside */
  adjust(sku: string, { change, reason }: Adjustment): Promise<Movement> {
    return this.transactions.run(async (tx) => {
      const { available, reorderLevel } = await lock(sku, tx);
      if (available + change < 0) throw new StockWouldBeNegative(sku, change, available);
      const movement = await book(tx, { sku, kind: 'adjustment', change, reason });
      tx.publish(StockAdjusted({ sku, change, reason }));
      await sayCrossings(tx, [{ sku, before: available, after: available + change, reorderLevel }]);
      return movement;
    });
  }
}

async function lock(sku: string, { manager }: Transaction): Promise<Stock> {
  const stock = await manager.findOne(Stock, { where: { sku }, lock: { mode: 'pessimistic_write' } });
  if (!stock) throw new ProductNotFound(sku);
  return stock;
}
