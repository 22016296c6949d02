// The habit: the entity is mapped to a view for the client. Its shape is that of Orderly, so one client can use both.
import type { Order } from './order.entity.js';

export type OrderView = ReturnType<typeof viewOf>;

export function viewOf(order: Order) {
  const { id, status, version, shippingAddress, reference, currency, rejection, cancellation, shipment } = order;
  const lines = order.lines.map(({ sku, name, quantity, unitAmount }) => ({
    sku,
    name,
    quantity,
    unitPrice: { amount: unitAmount, currency },
    lineTotal: { amount: unitAmount * quantity, currency },
  }));
  return {
    id,
    status,
    version,
    customer: { name: order.customerName, email: order.customerEmail },
    shippingAddress,
    reference,
    lines,
    total: { amount: lines.reduce((sum, { lineTotal }) => sum + lineTotal.amount, 0), currency },
    placedAt: order.placedAt.toISOString(),
    ...(rejection && { rejection }),
    ...(cancellation && { cancellation }),
    ...(shipment && { shipment }),
  };
}
