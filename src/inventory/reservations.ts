import { Injectable } from '@nestjs/common';
import type { Transaction } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { StockDispatched, StockReleased, StockReserved, StockShort } from './inventory.events.js';
import { book } from './ledger.js';
import { publishCrossings } from './stock-alarm.js';

export interface WantedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** A wanted line and the stock level before its reservation. */
interface LevelForLine extends WantedLine {
  readonly available: number;
  readonly reorderLevel: number;
}

/** All code locks levels in this sequence: by the bytes of the SKU, independent of the collation of the database. */
const IN_LOCK_SEQUENCE = 'ORDER BY s.sku COLLATE "C"';

/**
 * Levels are locked in the sequence of their SKUs, so that orders with the same products wait for each other instead of
 * deadlocking. All levels are read before the first reservation is inserted. A SKU without a level has 0 available
 * units.
 */
const RESERVE = `
  WITH wanted AS (
    SELECT sku, quantity, nr FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS w(sku, quantity, nr)
  ), level AS (
    SELECT s.sku, w.quantity, s.reorder_level, s.on_hand - s.reserved AS available
      FROM inventory.stock s JOIN wanted w USING (sku)
     ${IN_LOCK_SEQUENCE} FOR UPDATE OF s
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

/** Reserves stock for orders, and releases or dispatches it. */
@Injectable()
export class Reservations {
  /** Reserves all lines of an order and publishes StockReserved, or reserves none and publishes StockShort. */
  async reserve(orderId: string, wanted: readonly WantedLine[], tx: Transaction): Promise<void> {
    const levels = await reserveAll(orderId, wanted, tx);
    const short = levels.filter(({ available, quantity }) => available < quantity);
    if (short.length > 0) {
      const lines = short.map(({ sku, quantity, available }) => ({ sku, requested: quantity, available }));
      tx.publish(StockShort({ orderId, lines }));
    } else {
      tx.publish(StockReserved({ orderId }));
      await publishCrossings(
        tx,
        levels.map((level) => changeBy(-level.quantity, level)),
      );
    }
  }

  /** Releases the reservations of an order. Does nothing when none is held. */
  async release(orderId: string, tx: Transaction): Promise<void> {
    const held = await lockHeld(orderId, tx);
    if (held.length === 0) return;
    await endReservation(orderId, 'released', tx);
    tx.publish(StockReleased({ orderId }));
    await publishCrossings(
      tx,
      held.map((level) => changeBy(level.quantity, level)),
    );
  }

  /** Books the reserved units of an order out of the warehouse. The available units stay the same. */
  async dispatch(orderId: string, tx: Transaction): Promise<void> {
    const held = await lockHeld(orderId, tx);
    if (held.length === 0) return;
    await endReservation(orderId, 'dispatched', tx);
    for (const { sku, quantity } of held) await book(tx, { sku, kind: 'dispatch', change: -quantity, reason: orderId });
    tx.publish(StockDispatched({ orderId }));
  }
}

/** Reserves all lines of an order or none, in one statement. None if a returned line has too few available units. */
function reserveAll(orderId: string, lines: readonly WantedLine[], tx: Transaction): Promise<LevelForLine[]> {
  const totals = new Map<string, number>();
  for (const { sku, quantity } of lines) totals.set(sku, (totals.get(sku) ?? 0) + quantity);
  return tx.query<LevelForLine>(RESERVE, [orderId, [...totals.keys()], [...totals.values()]]);
}

/** Locks the levels of the held reservations of an order, in the sequence of their SKUs. */
function lockHeld(orderId: string, { manager }: Transaction): Promise<LevelForLine[]> {
  const sql = `
    SELECT s.sku, r.quantity, s.reorder_level AS "reorderLevel", (s.on_hand - s.reserved)::float8 AS available
      FROM inventory.reservation r JOIN inventory.stock s USING (sku)
     WHERE r.order_id = $1 AND r.state = 'held'
     ${IN_LOCK_SEQUENCE} FOR UPDATE`;
  return queryRows<LevelForLine>(manager, sql, [orderId]);
}

async function endReservation(
  orderId: string,
  state: 'released' | 'dispatched',
  { manager }: Transaction,
): Promise<void> {
  const sql = `UPDATE inventory.reservation SET state = $2 WHERE order_id = $1 AND state = 'held'`;
  await manager.query(sql, [orderId, state]);
}

function changeBy(change: number, { sku, available, reorderLevel }: LevelForLine) {
  return { sku, before: available, after: available + change, reorderLevel };
}
