import { mayBecome, ORDER_STATUSES, type OrderStatus } from './order-status.js';

/** The allowed transitions, written down independently of the code. */
const TRANSITIONS: readonly (readonly [OrderStatus, OrderStatus])[] = [
  ['placed', 'confirmed'],
  ['placed', 'rejected'],
  ['placed', 'cancelled'],
  ['confirmed', 'cancelled'],
  ['confirmed', 'shipped'],
  ['shipped', 'delivered'],
];

const every = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => [from, to] as const));
const isTransition = (from: OrderStatus, to: OrderStatus) =>
  TRANSITIONS.some((transition) => transition[0] === from && transition[1] === to);

test.each(TRANSITIONS)('a %s order may become %s', (from, to) => {
  expect(mayBecome(from, to)).toBe(true);
});

test.each(every.filter(([from, to]) => !isTransition(from, to)))('a %s order may not become %s', (from, to) => {
  expect(mayBecome(from, to)).toBe(false);
});
