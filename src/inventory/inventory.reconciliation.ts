import { Injectable } from '@nestjs/common';
import { rowsOf } from '../common/database/rows-of.js';
import { EventReader } from '../common/events/event-reader.js';
import { Transactions } from '../common/events/transactions.js';
import { Checks, type Disagreement } from '../common/reconciliation/checks.js';
import { NO_ID } from '../common/retention/age.js';
import { OrderCancelled, OrderConfirmed, OrderRejected, OrderShipped } from '../orders/orders.events.js';
import { StockDispatched, StockReleased, StockReserved } from './inventory.events.js';
import { orderOf, type Reserved, reservedFor, unlike } from './reserved-lines.js';

/** Some have a long ledger to be summed up. */
const SKUS_PER_BATCH = 50;

const SKUS = 'SELECT sku AS key FROM inventory.stock WHERE sku > $1 ORDER BY sku LIMIT $2';
const ORDERS = 'SELECT DISTINCT order_id AS key FROM inventory.reservation WHERE order_id > $1 ORDER BY 1 LIMIT $2';

const LEDGERS = `
  SELECT sku, on_hand::float8 AS found, ledger::float8 AS expected
    FROM inventory.stock s, LATERAL (
      SELECT coalesce(sum(change), 0) AS ledger FROM inventory.movement m WHERE m.sku = s.sku) booked
   WHERE sku = ANY ($1) AND on_hand <> ledger`;

const HELD = `
  SELECT sku, reserved::float8 AS found, held::float8 AS expected
    FROM inventory.stock s, LATERAL (
      SELECT coalesce(sum(quantity), 0) AS held FROM inventory.reservation r
       WHERE r.sku = s.sku AND r.state = 'held') kept
   WHERE sku = ANY ($1) AND reserved <> held`;

/** What the last word about a reservation makes of its rows. */
const STATE_AFTER: Readonly<Record<string, Reserved['state']>> = {
  [StockReserved.type]: 'held',
  [StockReleased.type]: 'released',
  [StockDispatched.type]: 'dispatched',
};

/** What must agree with stock. */
@Injectable()
export class InventoryReconciliation {
  constructor(
    private readonly transactions: Transactions,
    private readonly log: EventReader,
    checks: Checks,
  ) {
    const ofStock = (last: string | undefined, limit: number) =>
      this.keys(SKUS, last ?? '', Math.min(limit, SKUS_PER_BATCH));
    checks.addRows({
      name: 'inventory.levels-are-their-ledgers',
      means: 'What is on hand is the sum of its ledger',
      remedy: 'Count the goods, restore whichever of the two was changed by hand, and book the rest as an adjustment',
      keysAfter: ofStock,
      look: (skus) => this.levels(LEDGERS, skus, (units) => `${units} on hand`),
    });
    checks.addRows({
      name: 'inventory.reserved-is-held',
      means: 'What is reserved is held for orders',
      remedy: 'Somebody changed levels or reservations by hand: set `reserved` to the sum of what is held',
      keysAfter: ofStock,
      look: (skus) => this.levels(HELD, skus, (units) => `${units} reserved`),
    });
    checks.addRows({
      name: 'inventory.reservations-are-as-last-said',
      means: 'Reservations are in the state that the last event about them tells',
      remedy: 'Somebody changed reservations by hand: set them back to what the timeline of the order tells',
      keysAfter: (last, limit) => this.keys(ORDERS, last ?? NO_ID, limit),
      look: (orderIds) => this.otherThanSaid(orderIds),
    });
    checks.addEvents({
      name: 'inventory.reservations-follow-orders',
      means:
        'A confirmed order has exactly its lines reserved, a cancelled or rejected one holds none, a shipped one was dispatched',
      remedy: 'Compare the timeline of the order with its reservations and with the shelf, and set them right by hand',
      events: [OrderConfirmed, OrderCancelled, OrderRejected, OrderShipped],
      look: async (events) => {
        const reserved = await this.transactions.read((manager) => reservedFor(events.map(orderOf), manager));
        return unlike(events, reserved);
      },
    });
  }

  private async levels(
    sql: string,
    skus: readonly string[],
    inWords: (units: number) => string,
  ): Promise<Disagreement[]> {
    const rows = await this.transactions.read((manager) =>
      rowsOf<{ sku: string; expected: number; found: number }>(manager, sql, [skus]),
    );
    return rows.map(({ sku: key, expected, found }) => {
      return { key, subject: `stock/${key}`, expected: inWords(expected), found: inWords(found) };
    });
  }

  private async otherThanSaid(orderIds: readonly string[]): Promise<Disagreement[]> {
    const rows = await this.transactions.read((manager) => reservedFor(orderIds, manager));
    const last = await this.log.lastOf(orderIds.map((orderId) => `reservation/${orderId}`));
    return rows.flatMap(({ orderId: key, sku, state }) => {
      const expected = STATE_AFTER[last.get(`reservation/${key}`)?.type ?? ''] ?? 'none';
      if (expected === state) return [];
      return [{ key, subject: `reservation/${key}`, expected: `${sku} ${expected}`, found: `${sku} ${state}` }];
    });
  }

  private async keys(sql: string, last: string, limit: number): Promise<string[]> {
    const rows = await this.transactions.read((manager) => rowsOf<{ key: string }>(manager, sql, [last, limit]));
    return rows.map(({ key }) => key);
  }
}
