import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { currentContext } from '../context/context.js';
import { CORRELATION_HEADER } from './correlation.js';
import { problemAnswer } from './problem.filter.js';

/** Answers a request whose URL the router could not decode. Nest's filters are not called for it. */
export function refuseUnrouted(error: Error, response: ServerResponse): void {
  const { status, headers, body } = problemAnswer(error, currentContext()?.correlationId ?? uuidv7());
  response.writeHead(status, headers).end(body);
}

/** Answers bytes that Node could not parse as a request, and closes the socket. There is no response object. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const correlationId = uuidv7();
  const { status, headers, body } = problemAnswer(error, correlationId);
  const fields = {
    ...headers,
    [CORRELATION_HEADER]: correlationId,
    connection: 'close',
    'content-length': body.length,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
