import { until } from '../test/support/until.js';
import { anOrder, SKUS } from './support/catalogue.js';
import type { Database } from './support/database.js';
import { ORDERLY } from './support/programs.js';
import { Shop } from './support/shop.js';
import { type Original, originalOf, storeDeliveries, storeOrders } from './support/stored-orders.js';
import type { TestBed } from './support/test-bed.js';

const THOUSAND = 1_000;
const MILLION = 1_000_000;
/** Back-pressure would otherwise refuse orders, because a million deliveries are already pending. */
const SETTINGS = { BACKLOG_MAX: '2000000' };

/** Shops that differ only in their stored rows. */
export async function grownShops(testBed: TestBed) {
  const first = await Shop.open(testBed, ORDERLY);
  const { original, pending } = await anOrderIn(first);
  await first.stop();
  const empty = first.database;
  const thousand = await testBed.database(empty);
  await storeOrders(THOUSAND, original, thousand);
  const million = await testBed.database(empty);
  await storeOrders(MILLION, original, million);
  const backlog = await testBed.database(million);
  await storeDeliveries(MILLION, pending, backlog);
  const open = async (database: Database) => {
    const shop = Shop.on(testBed, ORDERLY, database);
    await shop.start(SETTINGS);
    return shop;
  };
  return {
    empty: await open(empty),
    thousand: await open(thousand),
    million: await open(million),
    backlog: await open(backlog),
  };
}

/** The rows of an order whose e-mail was sent, and the same rows with the delivery still pending. */
async function anOrderIn(shop: Shop): Promise<{ original: Original; pending: Original }> {
  const { database } = shop;
  const orderId = await shop.place(anOrder([{ sku: SKUS[0] ?? '', quantity: 1 }]));
  const before = await originalOf(orderId, database);
  await shop.start({ WORKERS: 'on' });
  const unfinished = `SELECT count(*) FROM backbone.delivery WHERE state <> 'done'`;
  await until('the e-mail is sent', async () => (await database.number(unfinished)) === 0);
  const original = await originalOf(orderId, database);
  return { original, pending: { ...original, 'backbone.delivery': before['backbone.delivery'] } };
}
