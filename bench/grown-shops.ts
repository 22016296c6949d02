import { until } from '../test/support/until.js';
import { anOrder, SKUS } from './support/catalogue.js';
import type { Database } from './support/database.js';
import type { Ground } from './support/ground.js';
import { ORDERLY } from './support/programs.js';
import { Shop } from './support/shop.js';
import { type Original, originalOf, storeDeliveries, storeOrders } from './support/stored-orders.js';

const THOUSAND = 1_000;
const MILLION = 1_000_000;
/** So that a million that is pending already does not close the shop. */
const ROOM = { BACKLOG_MAX: '2000000' };

/** Shops that differ in nothing but in what has happened in them before. */
export async function grownShops(ground: Ground) {
  const first = await Shop.open(ground, ORDERLY);
  const { original, pending } = await anOrderIn(first);
  await first.stop();
  const empty = first.database;
  const thousand = await ground.database(empty);
  await storeOrders(THOUSAND, original, thousand);
  const million = await ground.database(empty);
  await storeOrders(MILLION, original, million);
  const backlog = await ground.database(million);
  await storeDeliveries(MILLION, pending, backlog);
  const open = async (database: Database) => {
    const shop = Shop.on(ground, ORDERLY, database);
    await shop.start(ROOM);
    return shop;
  };
  return {
    empty: await open(empty),
    thousand: await open(thousand),
    million: await open(million),
    backlog: await open(backlog),
  };
}

/** The rows of an order whose mail is sent, and the same while its mail is still to be sent. */
async function anOrderIn(shop: Shop): Promise<{ original: Original; pending: Original }> {
  const { database } = shop;
  const orderId = await shop.place(anOrder([{ sku: SKUS[0] ?? '', quantity: 1 }]));
  const before = await originalOf(orderId, database);
  await shop.start({ WORKERS: 'on' });
  const left = `SELECT count(*) FROM backbone.delivery WHERE state <> 'done'`;
  await until('the mail is sent', async () => (await database.number(left)) === 0);
  const original = await originalOf(orderId, database);
  return { original, pending: { ...original, 'backbone.delivery': before['backbone.delivery'] } };
}
