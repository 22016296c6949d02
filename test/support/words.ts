import type { Program } from './program.js';

interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export function aProduct(sku: string, onHand: number, changes: object = {}) {
  const unitPrice = { amount: 1800, currency: 'USD' };
  return { sku, name: `Product ${sku}`, category: 'Beverages', unitPrice, reorderLevel: 0, onHand, ...changes };
}

export function anOrder(lines: readonly Line[] = [{ sku: 'TEA', quantity: 1 }], email = 'maria@example.com') {
  return {
    customer: { name: 'Maria Anders', email },
    shippingAddress: { name: 'Maria Anders', street: 'Obere Str. 57', city: 'Berlin', country: 'Germany' },
    lines,
  };
}

/** Imports products. */
export async function stock(shop: Program, ...products: readonly object[]): Promise<void> {
  const { status, body } = await shop.import(products);
  if (status !== 200 || body.listed !== products.length) throw new Error(`Not listed: ${JSON.stringify(body)}`);
}

/** Places an order, and returns the answer. @throws {Error} when it is refused */
export async function place(shop: Program, order: object = anOrder()) {
  const { status, body } = await shop.post('/v1/orders', order);
  if (status !== 201) throw new Error(`Not placed: ${JSON.stringify(body)}`);
  return body;
}
