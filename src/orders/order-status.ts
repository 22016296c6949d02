export const ORDER_STATUSES = ['placed', 'confirmed', 'rejected', 'cancelled', 'shipped', 'delivered'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The allowed transitions. All changes of an order's status are checked here only. */
const NEXT: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ['confirmed', 'rejected', 'cancelled'],
  confirmed: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  rejected: [],
  cancelled: [],
  delivered: [],
};

export function mayBecome(from: OrderStatus, to: OrderStatus): boolean {
  return NEXT[from].includes(to);
}
