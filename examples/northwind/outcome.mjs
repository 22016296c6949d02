import { setTimeout as pause } from 'node:timers/promises';
import { orders, products } from './northwind.mjs';
import { Refusal } from './shop.mjs';

/** Longer than any queue that works needs for what 830 orders set off. */
const QUIET_WITHIN_MS = 180_000;

/** Waits until every event has been heard by all who had to hear it. */
export async function quiet(shop) {
  const deadline = Date.now() + QUIET_WITHIN_MS;
  for (;;) {
    const { items } = await shop.get('/v1/operations/subscriptions');
    const waiting = items.reduce((sum, { pending }) => sum + pending, 0);
    const dead = items.filter((subscriber) => subscriber.dead > 0).map(({ name }) => name);
    if (dead.length > 0)
      throw new Refusal(`Some deliveries are dead, see /v1/operations/deliveries: ${dead.join(', ')}`);
    if (waiting === 0) return;
    if (Date.now() > deadline)
      throw new Refusal(
        `${waiting} deliveries still wait after ${QUIET_WITHIN_MS / 1000} s: does the mail server work?`,
      );
    await pause(100);
  }
}

/** What came of it all, as the shop itself tells. The same on every fresh database. */
export async function outcomeOf(shop) {
  const [placed, stocked, sent] = await Promise.all([
    shop.list('/v1/orders'),
    shop.list('/v1/products?search=NW-'),
    shop.list('/v1/notifications?state=sent'),
  ]);
  const references = new Set(orders.map(({ reference }) => reference));
  const ours = placed.filter(({ reference }) => references.has(reference));
  const skus = new Set(products.map(({ sku }) => sku));
  const subjects = new Set([...skus, ...ours.map(({ id }) => id)]);
  return {
    orders: countBy(ours, ({ status }) => status),
    rejected: referencesOf(ours, 'rejected'),
    stock: stocked
      .filter(({ sku }) => skus.has(sku))
      .map(({ sku, name, stock }) => ({ sku, name, onHand: stock.onHand, reserved: stock.reserved }))
      .toSorted((one, other) => (one.sku < other.sku ? -1 : 1)),
    mails: countBy(
      sent.filter(({ subject }) => subjects.has(subject)),
      ({ template }) => template,
    ),
  };
}

function referencesOf(placed, wanted) {
  return placed
    .filter(({ status }) => status === wanted)
    .map(({ reference }) => reference)
    .toSorted();
}

function countBy(items, keyOf) {
  const counts = {};
  for (const key of items.map(keyOf).toSorted()) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}
