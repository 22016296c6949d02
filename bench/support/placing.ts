import { ordersOf } from './catalogue.js';
import { anyOf } from './load.js';
import { post } from './request.js';

/** Returns a request for an order of one line, with a random product. */
export const placing = anyOf(ordersOf(1).map((order) => post('/v1/orders', order)));
