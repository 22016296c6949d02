import { parseArgs } from 'node:util';
import { orders, products } from './northwind.mjs';
import { allDelivered, outcomeOf } from './outcome.mjs';
import { reportOf } from './report.mjs';
import { Refusal, Shop } from './shop.mjs';

const DEFAULT_URL = 'http://127.0.0.1:3000';

try {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
  const shop = new Shop(positionals[0] ?? process.env.ORDERLY_URL ?? DEFAULT_URL);
  const startedAt = performance.now();
  await refuseSecondRun(shop);
  await importCatalogue(shop);
  await placeOrders(shop, (count) => values.json || showProgress(count));
  await allDelivered(shop);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const outcome = { ...(await outcomeOf(shop)), seconds };
  process.stdout.write(values.json ? `${JSON.stringify(outcome)}\n` : reportOf(outcome));
} catch (error) {
  const isPlain = error instanceof Refusal || error.code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`${isPlain ? error.message : error.stack}\n`);
  process.exitCode = 1;
}

/** In a second run stock would be short from the beginning, so the results would not be comparable. */
async function refuseSecondRun(shop) {
  const [{ reference }] = orders;
  const sameOrders = await shop.get(`/v1/orders?reference=${reference}&limit=1`);
  const sameProducts = await shop.get(`/v1/products?search=${products[0].sku}&limit=1`);
  if (sameOrders.items.length === 0 && sameProducts.items.length === 0) return;
  const found = sameOrders.items.length > 0 ? `order ${reference}` : `product ${products[0].sku}`;
  throw new Refusal(`The shop at ${shop.url} already contains Northwind: ${found} exists.
Run the example on fresh data, for example: DATA_FOLDER=.orderly/northwind npm start`);
}

async function importCatalogue(shop) {
  const { listed, rejected } = await shop.postLines('/v1/products/import', products);
  if (listed === products.length) return;
  throw new Refusal(`Only ${listed} of ${products.length} products were imported: ${JSON.stringify(rejected)}`);
}

/** One at a time, so that the sequence alone decides which orders get the stock. */
async function placeOrders(shop, onPlaced) {
  for (const [index, order] of orders.entries()) {
    const { status } = await shop.post('/v1/orders', order);
    if (!['placed', 'confirmed', 'rejected'].includes(status))
      throw new Refusal(`Order ${order.reference} has the unexpected status ${status}`);
    onPlaced(index + 1);
  }
}

function showProgress(count) {
  if (!process.stderr.isTTY || (count % 10 > 0 && count < orders.length)) return;
  process.stderr.write(`\r${count} of ${orders.length} orders placed${count === orders.length ? '\n' : ''}`);
}
