import type { IncomingMessage, ServerResponse } from 'node:http';
import { logWhenClosed } from '../logging/request-log.js';
import { correlate } from './correlation.js';
import { measureRequest } from './request-metrics.js';
import { setSecurityHeaders } from './security-headers.js';

export interface RequestAndResponse {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The pattern of the address, e.g. `/v1/orders/:id`; undefined where nothing fits it. */
  readonly route: string | undefined;
}

/** What happens to every request before anything else, whether or not there is a route for it. */
export function runRequestHooks({ request, response, route }: RequestAndResponse, next: () => void): void {
  setSecurityHeaders(response);
  const asked = { method: request.method ?? '', route };
  measureRequest(response, asked);
  correlate(request, response, () => {
    logWhenClosed(response, asked);
    next();
  });
}
