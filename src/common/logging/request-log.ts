import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { bindToContext } from '../context/context.js';

interface Request {
  readonly method: string;
  /** The pattern and not the address itself: addresses may hold e-mail addresses. */
  readonly route: string | undefined;
}

const logger = new Logger('Http');

/** Writes one line when the request is over, however it ended. What machines ask all the time shows at level debug. */
export function logWhenClosed(response: ServerResponse, { method, route = '(no route)' }: Request): void {
  const startedAt = performance.now();
  const write = () => {
    const status = response.writableFinished ? response.statusCode : 'gone before the answer';
    const ms = Math.round(performance.now() - startedAt);
    const level = route.startsWith('/health') || route === '/metrics' ? 'debug' : 'log';
    logger[level](`${method} ${route} ${status} ${ms} ms`, { method, route, status, ms });
  };
  // The socket closes in a context of its own; the line belongs to the request's.
  response.once('close', bindToContext(write));
}
