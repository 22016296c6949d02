import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { API_ACTOR, runInContext } from '../context/context.js';

export const CORRELATION_HEADER = 'x-correlation-id';

const ACCEPTABLE = /^[A-Za-z0-9._:-]{1,128}$/;

/** Gives a request its correlation id, the caller's where it is a sane one, and runs what follows in its context. */
export function correlate(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const given = request.headers[CORRELATION_HEADER];
  const correlationId = typeof given === 'string' && ACCEPTABLE.test(given) ? given : uuidv7();
  response.setHeader(CORRELATION_HEADER, correlationId);
  runInContext({ correlationId, causationId: null, actor: API_ACTOR }, next);
}
