import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventReader } from '../backbone/event-reader.js';
import { Transactions } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { NIL_UUID } from '../common/retention/age.js';
import type { EventCheck, Finding, HandledEvent, ModuleChecks, RowCheck } from '../operations/checks.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderRejected,
  OrderShipped,
} from '../orders/orders.events.js';
import { StockDispatched, StockReleased, StockReserved } from './inventory.events.js';

const withOrderId = OrderDelivered.data.pick({ orderId: true });
const NOTHING = 'nothing';

/** Few, because the check adds up the whole ledger of each product. */
const SKUS_PER_BATCH = 50;

const SKUS = 'SELECT sku AS key FROM inventory.stock WHERE sku > $1 ORDER BY sku LIMIT $2';
const ORDERS = 'SELECT DISTINCT order_id AS key FROM inventory.reservation WHERE order_id > $1 ORDER BY 1 LIMIT $2';

const LEDGER_MISMATCHES = `
  SELECT sku, on_hand::float8 AS found, ledger::float8 AS expected
    FROM inventory.stock s, LATERAL (
      SELECT coalesce(sum(change), 0) AS ledger FROM inventory.movement m WHERE m.sku = s.sku) movements
   WHERE sku = ANY ($1) AND on_hand <> ledger`;

const RESERVED_MISMATCHES = `
  SELECT sku, reserved::float8 AS found, held::float8 AS expected
    FROM inventory.stock s, LATERAL (
      SELECT coalesce(sum(quantity), 0) AS held FROM inventory.reservation r
       WHERE r.sku = s.sku AND r.state = 'held') reservations
   WHERE sku = ANY ($1) AND reserved <> held`;

/** A row of the reservation table. */
interface ReservedLine {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly state: 'held' | 'released' | 'dispatched';
}

/** The state that the rows of a reservation have after its last event. */
const STATE_AFTER: Readonly<Record<string, ReservedLine['state']>> = {
  [StockReserved.type]: 'held',
  [StockReleased.type]: 'released',
  [StockDispatched.type]: 'dispatched',
};

/** Checks that stock levels, ledger, reservations and events agree. */
@Injectable()
export class InventoryChecks implements ModuleChecks {
  readonly rowChecks: readonly RowCheck[] = [
    {
      name: 'inventory.levels-are-their-ledgers',
      description: 'The units on hand are the sum of the ledger',
      remedy:
        'Count the goods, restore the level or the ledger, whichever was changed by hand, and book the difference as an adjustment',
      keysAfter: (last, limit) => this.skus(last, limit),
      findMismatches: (skus) => this.levelMismatches(LEDGER_MISMATCHES, skus, (units) => `${units} on hand`),
    },
    {
      name: 'inventory.reserved-is-held',
      description: 'The reserved units are held for orders',
      remedy: 'Levels or reservations were changed by hand: set `reserved` to the sum of the held reservations',
      keysAfter: (last, limit) => this.skus(last, limit),
      findMismatches: (skus) => this.levelMismatches(RESERVED_MISMATCHES, skus, (units) => `${units} reserved`),
    },
    {
      name: 'inventory.reservations-are-as-last-said',
      description: 'Reservations have the state of the last event about them',
      remedy: 'Reservations were changed by hand: set them back to what the timeline of the order shows',
      keysAfter: (last, limit) => this.keys(ORDERS, last ?? NIL_UUID, limit),
      findMismatches: (orderIds) => this.differentFromLastEvent(orderIds),
    },
  ];
  readonly eventChecks: readonly EventCheck[] = [
    {
      name: 'inventory.reservations-follow-orders',
      description:
        'A confirmed order has exactly its lines reserved, a cancelled or rejected one holds none, a shipped one was dispatched',
      remedy: 'Compare the timeline of the order with its reservations and with the shelf, and correct them by hand',
      events: [OrderConfirmed, OrderCancelled, OrderRejected, OrderShipped],
      findMismatches: async (events) => {
        const reserved = await this.transactions.read((manager) => reservedFor(events.map(orderIdOf), manager));
        return mismatchesWith(reserved, events);
      },
    },
  ];

  constructor(
    private readonly transactions: Transactions,
    private readonly log: EventReader,
  ) {}

  private async levelMismatches(
    sql: string,
    skus: readonly string[],
    describe: (units: number) => string,
  ): Promise<Finding[]> {
    const rows = await this.transactions.read((manager) =>
      queryRows<{ sku: string; expected: number; found: number }>(manager, sql, [skus]),
    );
    return rows.map(({ sku: key, expected, found }) => {
      return { key, subject: `stock/${key}`, expected: describe(expected), found: describe(found) };
    });
  }

  private async differentFromLastEvent(orderIds: readonly string[]): Promise<Finding[]> {
    const rows = await this.transactions.read((manager) => reservedFor(orderIds, manager));
    const last = await this.log.lastEventsOf(orderIds.map((orderId) => `reservation/${orderId}`));
    return rows.flatMap(({ orderId: key, sku, state }) => {
      const expected = STATE_AFTER[last.get(`reservation/${key}`)?.type ?? ''] ?? 'none';
      if (expected === state) return [];
      return [{ key, subject: `reservation/${key}`, expected: `${sku} ${expected}`, found: `${sku} ${state}` }];
    });
  }

  private skus(last = '', limit = SKUS_PER_BATCH): Promise<string[]> {
    return this.keys(SKUS, last, Math.min(limit, SKUS_PER_BATCH));
  }

  private async keys(sql: string, last: string, limit: number): Promise<string[]> {
    const rows = await this.transactions.read((manager) => queryRows<{ key: string }>(manager, sql, [last, limit]));
    return rows.map(({ key }) => key);
  }
}

/** The id of the order that an event is about. */
function orderIdOf({ data }: HandledEvent): string {
  return withOrderId.parse(data).orderId;
}

/** All reservations of these orders, in any state. */
function reservedFor(orderIds: readonly string[], manager: EntityManager): Promise<ReservedLine[]> {
  const sql = `SELECT order_id AS "orderId", sku, quantity, state FROM inventory.reservation
                WHERE order_id = ANY ($1::uuid[]) ORDER BY order_id, sku`;
  return queryRows<ReservedLine>(manager, sql, [orderIds]);
}

/** The mismatches between these events of orders and the reservations. */
function mismatchesWith(reserved: readonly ReservedLine[], events: readonly HandledEvent[]): Finding[] {
  return events.flatMap((event) => {
    const orderId = orderIdOf(event);
    const own = reserved.filter((each) => each.orderId === orderId);
    const { expected, found } = compare(event, own);
    return expected === found ? [] : [{ key: event.id, subject: `reservation/${orderId}`, expected, found }];
  });
}

function compare({ type, data }: HandledEvent, own: readonly ReservedLine[]): Pick<Finding, 'expected' | 'found'> {
  if (type === OrderConfirmed.type) {
    // Only quantities: the state depends on later events, which are compared too.
    return { expected: joined(totals(OrderConfirmed.data.parse(data).lines)), found: joined(totals(own)) };
  }
  if (type === OrderShipped.type) {
    const expected = own.length > 0 ? own.map(({ sku }) => `${sku} dispatched`) : ['something dispatched'];
    return { expected: joined(expected), found: joined(own.map(({ sku, state }) => `${sku} ${state}`)) };
  }
  const reserved = own.filter(({ state }) => state !== 'released');
  return { expected: NOTHING, found: joined(reserved.map(({ sku, state }) => `${sku} ${state}`)) };
}

function totals(lines: readonly Pick<ReservedLine, 'sku' | 'quantity'>[]): string[] {
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of lines) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  return [...bySku].map(([sku, quantity]) => `${quantity} × ${sku}`).toSorted();
}

function joined(words: readonly string[]): string {
  return words.length > 0 ? words.join(', ') : NOTHING;
}
