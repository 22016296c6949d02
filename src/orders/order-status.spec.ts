import { mayBecome, ORDER_STATUSES, type OrderStatus } from './order-status.js';

/** The whole life of an order, written down a second time. */
const STEPS: readonly (readonly [OrderStatus, OrderStatus])[] = [
  ['placed', 'confirmed'],
  ['placed', 'rejected'],
  ['placed', 'cancelled'],
  ['confirmed', 'cancelled'],
  ['confirmed', 'shipped'],
  ['shipped', 'delivered'],
];

const every = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => [from, to] as const));
const isStep = (from: OrderStatus, to: OrderStatus) => STEPS.some((step) => step[0] === from && step[1] === to);

test.each(STEPS)('a %s order may become %s', (from, to) => {
  expect(mayBecome(from, to)).toBe(true);
});

test.each(every.filter(([from, to]) => !isStep(from, to)))('a %s order may not become %s', (from, to) => {
  expect(mayBecome(from, to)).toBe(false);
});
