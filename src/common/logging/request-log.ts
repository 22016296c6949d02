import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { bindToContext } from '../context/context.js';

interface Request {
  readonly method: string;
  /** The pattern and not the URL: URLs may contain e-mail addresses. */
  readonly route: string | undefined;
}

const logger = new Logger('Http');

/** Logs one line when the request has ended or was aborted. Health checks and scrapes are logged at level debug. */
export function logWhenClosed(response: ServerResponse, { method, route = '(no route)' }: Request): void {
  const startedAt = performance.now();
  const write = () => {
    const status = response.writableFinished ? response.statusCode : 'aborted by the client';
    const ms = Math.round(performance.now() - startedAt);
    const level = route.startsWith('/health') || route === '/metrics' ? 'debug' : 'log';
    logger[level](`${method} ${route} ${status} ${ms} ms`, { method, route, status, ms });
  };
  // The event `close` has the context of the socket, but the line needs that of the request.
  response.once('close', bindToContext(write));
}
