import { readFileSync } from 'node:fs';

/** The original stock is too small for the orders of two years. */
const STOCK_FACTOR = 10;

/** The catalogue in Orderly's terms. Discontinued products are sold again, because the orders contain them. */
export const products = read('products').map(({ sku, name, category, unitPrice, reorderLevel, unitsInStock }) => ({
  sku,
  name,
  category,
  unitPrice,
  reorderLevel,
  onHand: unitsInStock * STOCK_FACTOR,
}));

const customers = new Map(read('customers').map((customer) => [customer.id, customer]));

/** The orders in Orderly's terms, sorted by number, which is the sequence in which they were placed. */
export const orders = read('orders')
  .toSorted((one, other) => one.number - other.number)
  .map(({ number, customer, shipTo, lines }) => ({
    customer: { name: customers.get(customer).contact, email: customers.get(customer).email },
    shippingAddress: withoutNulls(shipTo),
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    reference: String(number),
  }));

function read(file) {
  const text = readFileSync(new URL(`data/${file}.ndjson`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function withoutNulls(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
