import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { StockDispatched, StockReleased, StockReserved, StockShort } from './inventory.events.js';
import { book } from './ledger.js';
import { sayCrossings } from './stock-alarm.js';

export interface WantedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** A wanted line and what was there for it, before it was set aside. */
interface LevelForLine extends WantedLine {
  readonly available: number;
  readonly reorderLevel: number;
}

/** The order in which all code locks levels: that of their bytes, whatever the database sorts by. */
const IN_LOCK_ORDER = 'ORDER BY s.sku COLLATE "C"';

/**
 * Levels are locked in the order of their SKUs, so orders with the same products queue up instead of deadlocking, and
 * all of them are read before the first row is set aside. A SKU without a level has nothing available.
 */
const RESERVE = `
  WITH wanted AS (
    SELECT sku, quantity, nr FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS w(sku, quantity, nr)
  ), level AS (
    SELECT s.sku, w.quantity, s.reorder_level, s.on_hand - s.reserved AS available
      FROM inventory.stock s JOIN wanted w USING (sku)
     ${IN_LOCK_ORDER} FOR UPDATE OF s
  ), verdict AS (
    SELECT count(*) = (SELECT count(*) FROM wanted) AND coalesce(bool_and(available >= quantity), false) AS enough
      FROM level
  ), reserved AS (
    INSERT INTO inventory.reservation (order_id, sku, quantity)
    SELECT $1, sku, quantity FROM level WHERE (SELECT enough FROM verdict)
  )
  SELECT sku, w.quantity, coalesce(available, 0)::float8 AS available, coalesce(reorder_level, 0) AS "reorderLevel"
    FROM wanted w LEFT JOIN level USING (sku)
   ORDER BY nr`;

/** What is set aside for orders. */
@Injectable()
export class Reservations {
  /** Sets aside all lines of an order or none, and says which. */
  async reserve(orderId: string, wanted: readonly WantedLine[], tx: Transaction): Promise<void> {
    const levels = await reserveAll(orderId, wanted, tx);
    const short = levels.filter(({ available, quantity }) => available < quantity);
    if (short.length > 0) {
      const lines = short.map(({ sku, quantity, available }) => ({ sku, requested: quantity, available }));
      tx.publish(StockShort({ orderId, lines }));
    } else {
      tx.publish(StockReserved({ orderId }));
      await sayCrossings(
        tx,
        levels.map((level) => changeBy(-level.quantity, level)),
      );
    }
  }

  /** Frees what is set aside for an order; one that held nothing is passed over. */
  async release(orderId: string, tx: Transaction): Promise<void> {
    const held = await lockHeld(orderId, tx);
    if (held.length === 0) return;
    await settle(orderId, 'released', tx);
    tx.publish(StockReleased({ orderId }));
    await sayCrossings(
      tx,
      held.map((level) => changeBy(level.quantity, level)),
    );
  }

  /** Books what is set aside for an order out of the warehouse. What is available stays the same. */
  async dispatch(orderId: string, tx: Transaction): Promise<void> {
    const held = await lockHeld(orderId, tx);
    if (held.length === 0) return;
    await settle(orderId, 'dispatched', tx);
    for (const { sku, quantity } of held) await book(tx, { sku, kind: 'dispatch', change: -quantity, reason: orderId });
    tx.publish(StockDispatched({ orderId }));
  }
}

/** Sets aside all lines of an order or none, in one statement. It was none if a line comes back with too little. */
function reserveAll(orderId: string, lines: readonly WantedLine[], tx: Transaction): Promise<LevelForLine[]> {
  const totals = new Map<string, number>();
  for (const { sku, quantity } of lines) totals.set(sku, (totals.get(sku) ?? 0) + quantity);
  return tx.query<LevelForLine>(RESERVE, [orderId, [...totals.keys()], [...totals.values()]]);
}

/** The levels behind what an order holds, locked in the order of their SKUs like everywhere. */
function lockHeld(orderId: string, { manager }: Transaction): Promise<LevelForLine[]> {
  const sql = `
    SELECT s.sku, r.quantity, s.reorder_level AS "reorderLevel", (s.on_hand - s.reserved)::float8 AS available
      FROM inventory.reservation r JOIN inventory.stock s USING (sku)
     WHERE r.order_id = $1 AND r.state = 'held'
     ${IN_LOCK_ORDER} FOR UPDATE`;
  return queryRows<LevelForLine>(manager, sql, [orderId]);
}

async function settle(orderId: string, state: 'released' | 'dispatched', { manager }: Transaction): Promise<void> {
  const sql = `UPDATE inventory.reservation SET state = $2 WHERE order_id = $1 AND state = 'held'`;
  await manager.query(sql, [orderId, state]);
}

function changeBy(change: number, { sku, available, reorderLevel }: LevelForLine) {
  return { sku, before: available, after: available + change, reorderLevel };
}
