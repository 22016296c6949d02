import type { EntityManager } from 'typeorm';
import { rowsOf } from '../common/database/rows-of.js';
import type { Disagreement } from '../common/reconciliation/checks.js';
import type { HeardEvent } from '../common/reconciliation/heard-events.js';
import { OrderConfirmed, OrderDelivered, OrderShipped } from '../orders/orders.events.js';

/** A line of an order that was set aside. */
export interface Reserved {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly state: 'held' | 'released' | 'dispatched';
}

const anOrder = OrderDelivered.data.pick({ orderId: true });
const NOTHING = 'nothing';

/** The order that one of its events is about. */
export function orderOf({ data }: HeardEvent): string {
  return anOrder.parse(data).orderId;
}

/** What was set aside for these orders, whatever became of it. */
export function reservedFor(orderIds: readonly string[], manager: EntityManager): Promise<Reserved[]> {
  const sql = `SELECT order_id AS "orderId", sku, quantity, state FROM inventory.reservation
                WHERE order_id = ANY ($1::uuid[]) ORDER BY order_id, sku`;
  return rowsOf<Reserved>(manager, sql, [orderIds]);
}

/** What these events of orders say that reservations do not. */
export function unlike(events: readonly HeardEvent[], reserved: readonly Reserved[]): Disagreement[] {
  return events.flatMap((event) => {
    const orderId = orderOf(event);
    const own = reserved.filter((each) => each.orderId === orderId);
    const { expected, found } = compare(event, own);
    return expected === found ? [] : [{ key: event.id, subject: `reservation/${orderId}`, expected, found }];
  });
}

function compare({ type, data }: HeardEvent, own: readonly Reserved[]): Pick<Disagreement, 'expected' | 'found'> {
  if (type === OrderConfirmed.type) {
    // Whether it still is comes from later events, each of which is compared as well.
    return { expected: listOf(totals(OrderConfirmed.data.parse(data).lines)), found: listOf(totals(own)) };
  }
  if (type === OrderShipped.type) {
    const expected = own.length > 0 ? own.map(({ sku }) => `${sku} dispatched`) : ['something dispatched'];
    return { expected: listOf(expected), found: listOf(own.map(({ sku, state }) => `${sku} ${state}`)) };
  }
  const taken = own.filter(({ state }) => state !== 'released');
  return { expected: NOTHING, found: listOf(taken.map(({ sku, state }) => `${sku} ${state}`)) };
}

function totals(lines: readonly Pick<Reserved, 'sku' | 'quantity'>[]): string[] {
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of lines) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  return [...bySku].map(([sku, quantity]) => `${quantity} × ${sku}`).toSorted();
}

function listOf(words: readonly string[]): string {
  return words.length > 0 ? words.join(', ') : NOTHING;
}
