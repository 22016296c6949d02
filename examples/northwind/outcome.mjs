import { setTimeout as pause } from 'node:timers/promises';
import { orders, products } from './northwind.mjs';
import { Refusal } from './shop.mjs';

/** Longer than a working queue needs for all deliveries of 830 orders. */
const DELIVERED_WITHIN_MS = 180_000;

/** Waits until no delivery is pending. */
export async function allDelivered(shop) {
  const deadline = Date.now() + DELIVERED_WITHIN_MS;
  for (;;) {
    const { items } = await shop.get('/v1/operations/subscriptions');
    const pending = items.reduce((sum, subscriber) => sum + subscriber.pending, 0);
    const dead = items.filter((subscriber) => subscriber.dead > 0).map(({ name }) => name);
    if (dead.length > 0)
      throw new Refusal(`Some deliveries are dead letters, see /v1/operations/deliveries: ${dead.join(', ')}`);
    if (pending === 0) return;
    if (Date.now() > deadline)
      throw new Refusal(
        `${pending} deliveries are still pending after ${DELIVERED_WITHIN_MS / 1000} s: does the mail server work?`,
      );
    await pause(100);
  }
}

/** Reads the result over the API of the shop. It is the same on every fresh database. */
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
