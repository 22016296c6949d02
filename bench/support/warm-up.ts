import { ordersOf } from './catalogue.js';
import { anyOf, load } from './load.js';
import { post } from './request.js';

const CLIENTS = 16;
const SECONDS = 3;

const next = anyOf(ordersOf(1).map((order) => post('/v1/orders', order)));

/** A program that was started a moment ago gets up to twice as fast with its first thousands of orders. */
export async function warmUp({ url }: { readonly url: string }): Promise<void> {
  await load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next, expects: 201 });
}
