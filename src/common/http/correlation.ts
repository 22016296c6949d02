import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { API_ACTOR, runInContext } from '../context/context.js';

export const CORRELATION_HEADER = 'x-correlation-id';

const ACCEPTABLE = /^[A-Za-z0-9._:-]{1,128}$/;

/** Uses the correlation id of the client if it is acceptable, else a new one, and runs `next` in a context with it. */
export function correlate(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const given = request.headers[CORRELATION_HEADER];
  const correlationId = typeof given === 'string' && ACCEPTABLE.test(given) ? given : uuidv7();
  response.setHeader(CORRELATION_HEADER, correlationId);
  runInContext({ correlationId, causationId: null, actor: API_ACTOR }, next);
}
