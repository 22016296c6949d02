import type { IncomingMessage, ServerResponse } from 'node:http';
import { logWhenClosed } from '../logging/request-log.js';
import { correlate } from './correlation.js';
import { measureRequest } from './request-metrics.js';
import { setSecurityHeaders } from './security-headers.js';

export interface RequestAndResponse {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The pattern of the route, e.g. `/v1/orders/:id`; undefined where no route matches. */
  readonly route: string | undefined;
}

/** Runs first for every request, whether or not a route matches. */
export function runRequestHooks({ request, response, route }: RequestAndResponse, next: () => void): void {
  setSecurityHeaders(response);
  const labels = { method: request.method ?? '', route };
  measureRequest(response, labels);
  correlate(request, response, () => {
    logWhenClosed(response, labels);
    next();
  });
}
