/** As many products as a small shop has, so that orders seldom meet at one. */
const PRODUCTS = 1_000;
const FIRST = 1_000;
/** More than anybody can buy. */
const PLENTY = 1_000_000_000;

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** All have names of one length, and numbers that pgbench can draw as well. */
export const SKU_PREFIX = 'SKU-';
export const SKUS: readonly string[] = Array.from({ length: PRODUCTS }, (_, nr) => `${SKU_PREFIX}${FIRST + nr}`);

export function aProduct(sku: string, onHand = PLENTY) {
  const unitPrice = { amount: 1_800, currency: 'USD' };
  return { sku, name: `Product ${sku}`, category: 'Beverages', unitPrice, reorderLevel: 0, onHand };
}

export function anOrder(lines: readonly Line[]) {
  return {
    customer: { name: 'Maria Anders', email: 'maria.anders@example.com' },
    shippingAddress: { name: 'Maria Anders', street: 'Obere Str. 57', city: 'Berlin', country: 'Germany' },
    lines,
  };
}

/** One order for each product, of this many lines: the product and those that follow it. */
export function ordersOf(lines: number): object[] {
  return SKUS.map((_, nr) =>
    anOrder(Array.from({ length: lines }, (_, next) => ({ sku: SKUS[(nr + next) % PRODUCTS] ?? '', quantity: 1 }))),
  );
}
