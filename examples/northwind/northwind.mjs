import { readFileSync } from 'node:fs';

/** Northwind's warehouse is small for all the orders it got in two years. */
const STOCK_FACTOR = 10;

/** The catalogue in the words of the shop. What Northwind had discontinued is sold again, since its orders ask for it. */
export const products = read('products').map(({ sku, name, category, unitPrice, reorderLevel, unitsInStock }) => ({
  sku,
  name,
  category,
  unitPrice,
  reorderLevel,
  onHand: unitsInStock * STOCK_FACTOR,
}));

const customers = new Map(read('customers').map((customer) => [customer.id, customer]));

/** The orders in the words of the shop, in the order in which they came in. */
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
