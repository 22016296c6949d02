import type { Line } from './load-log.js';
import type { Random } from './random.js';

/** Products that never run out. */
const PLENTY = Array.from({ length: 24 }, (_, number) => `PLENTY-${number + 1}`);
/** Products with little stock and occasional receipts: one of them is sold out after every few orders. */
export const SCARCE = Array.from({ length: 4 }, (_, number) => `SCARCE-${number + 1}`);
const PLENTY_ON_HAND = 1_000_000;
export const SCARCE_ON_HAND = 12;
export const RECEIVED = 8;
/** A product in a quarter of all order lines, so its row is locked most of the time. */
export const HOT = 'PLENTY-1';

/** All products as lines of an import. */
export function catalogue(): string[] {
  return [
    ...PLENTY.map((sku) => aProduct(sku, PLENTY_ON_HAND)),
    ...SCARCE.map((sku) => aProduct(sku, SCARCE_ON_HAND)),
  ].map((product) => JSON.stringify(product));
}

/** The lines of a random order. */
export function someLines(random: Random): Line[] {
  const skus = new Set<string>();
  const wanted = random.chance(0.1) ? random.between(2, 5) : 1;
  while (skus.size < wanted) skus.add(aSku(random));
  return [...skus].map((sku) => ({ sku, quantity: random.between(1, 4) }));
}

function aSku(random: Random): string {
  if (random.chance(0.25)) return HOT;
  return random.chance(0.3) ? random.pick(SCARCE) : random.pick(PLENTY);
}

function aProduct(sku: string, onHand: number) {
  return {
    sku,
    name: `Product ${sku}`,
    category: 'Beverages',
    unitPrice: { amount: 1800, currency: 'USD' },
    reorderLevel: 0,
    onHand,
  };
}
