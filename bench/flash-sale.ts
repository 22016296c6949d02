import type { Bench } from './support/benchmark.js';
import { anOrder, aProduct, SKUS } from './support/catalogue.js';
import { anyOf, latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { ORDERLY } from './support/programs.js';
import { post } from './support/request.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { Shop } from './support/shop.js';
import { median, rounded } from './support/statistics.js';

const CLIENTS = 64;
const TARGET = { atLeast: 0.5 };
/** Largest allowed ratio of the median latency of the slowest client to that of the fastest. */
const SPREAD_MAX = 3;
const SECONDS = 2;
const [HOT = ''] = SKUS;
/** A product with so little stock that it is sold out within a second. */
const SCARCE = 'SCARCE';
const SCARCE_ON_HAND = 100;

const hot = anyOf([post('/v1/orders', anOrder([{ sku: HOT, quantity: 1 }]))]);
const scarce = anyOf([post('/v1/orders', anOrder([{ sku: SCARCE, quantity: 1 }]))]);

/**
 * Products of which confirmed orders contain more than the stock, or another quantity than the level has as reserved.
 */
const OVERSOLD = `
  SELECT count(*)
    FROM inventory.stock s
    LEFT JOIN (SELECT sku, sum(quantity) AS sold FROM orders.order_line l JOIN orders."order" o ON o.id = l.order_id
                WHERE o.status = 'confirmed' GROUP BY sku) confirmed USING (sku)
   WHERE coalesce(sold, 0) > on_hand OR coalesce(sold, 0) <> reserved`;

/** All clients order one product, so they contend for one row. No unit may be sold twice. */
export async function flashSale({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const shop = await Shop.open(testBed, ORDERLY);
  const measure = async (next: () => Buffer) => {
    const outcome = await load({ urls: [shop.url], clients: CLIENTS, seconds: SECONDS, next, expects: 201 });
    await shop.deletePendingWork();
    return outcome;
  };
  const { ours, theirs } = await rounds(count, { ours: () => measure(hot), theirs: () => measure(placing) });
  await shop.sell([aProduct(SCARCE, SCARCE_ON_HAND)]);
  await measure(scarce);
  const oversold = await shop.database.number(OVERSOLD);
  const leftOver = await shop.database.number(`SELECT on_hand - reserved FROM inventory.stock WHERE sku = '${SCARCE}'`);
  const clientSpread = median(ours.map(({ spread }) => spread));
  await shop.close();
  return [
    compare({
      name: `flash-sale, ${CLIENTS} clients`,
      description: 'orders of one product; orders of 1,000 products by as many clients',
      unit: 'orders/s',
      ours: ours.map(({ perSecond }) => perSecond),
      theirs: theirs.map(({ perSecond }) => perSecond),
      target: TARGET,
      holds: oversold === 0 && leftOver === 0 && clientSpread <= SPREAD_MAX,
      details: { ...latenciesOf(ours), slowestClientByFastest: rounded(clientSpread), oversold, leftOver },
    }),
  ];
}
