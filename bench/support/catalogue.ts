/** Stock that never runs out during a benchmark. */
const PLENTY = 1_000_000_000;

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export const SKU_PREFIX = 'SKU-';
/** A thousand, as in a small shop, so that concurrent orders seldom contain the same product. */
export const SKUS = skusOf(1_000);

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

/** SKUs of equal length, with consecutive numbers, which pgbench can choose at random too. */
export function skusOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, nr) => `${SKU_PREFIX}${count + nr}`);
}

/** One order for each product, with this many lines: the product and those that follow it in the list. */
export function ordersOf(lines: number, skus = SKUS): object[] {
  return skus.map((_, nr) =>
    anOrder(Array.from({ length: lines }, (_, next) => ({ sku: skus[(nr + next) % skus.length] ?? '', quantity: 1 }))),
  );
}
