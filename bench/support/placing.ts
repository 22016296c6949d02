import { ordersOf } from './catalogue.js';
import { anyOf } from './load.js';
import { post } from './request.js';

/** Draws a request for an order of one line, of any product on sale. */
export const placing = anyOf(ordersOf(1).map((order) => post('/v1/orders', order)));
