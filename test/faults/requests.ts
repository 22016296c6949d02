import type { Call } from './http.js';
import type { Intent } from './load-log.js';

/** A client without an answer after this time repeats its request. */
const TIMEOUT_MS = 15_000;

export function toImport(lines: readonly string[]): Call {
  return {
    method: 'POST',
    path: '/v1/products/import',
    body: lines.map((line) => `${line}\n`).join(''),
    timeoutMs: TIMEOUT_MS,
  };
}

export function toReceive(sku: string, quantity: number, reference: string): Call {
  const headers = { 'idempotency-key': reference };
  return post(`/v1/stock/${sku}/receipts`, { quantity, reference }, headers);
}

export function toCancel(id: string): Call {
  return post(`/v1/orders/${id}/cancellation`, { reason: 'Changed their mind' });
}

export function toShip(id: string): Call {
  return post(`/v1/orders/${id}/shipment`, { carrier: 'DHL', trackingNumber: `T-${id.slice(-12)}` });
}

export function toPlace({ reference, email, lines }: Intent, key = reference): Call {
  const order = {
    customer: { name: 'Maria Anders', email },
    shippingAddress: { name: 'Maria Anders', street: 'Obere Str. 57', city: 'Berlin', country: 'Germany' },
    lines,
    reference,
  };
  return post('/v1/orders', order, { 'idempotency-key': key, prefer: 'wait=3' });
}

function post(path: string, body: object, headers = {}): Call {
  return { method: 'POST', path, body: JSON.stringify(body), headers, timeoutMs: TIMEOUT_MS };
}
