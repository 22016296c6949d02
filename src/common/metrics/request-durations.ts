import type { ServerResponse } from 'node:http';
import { httpRequestSeconds } from './measures.js';

interface Request {
  readonly method: string;
  readonly route: string | undefined;
}

/** Measures a request until it is over, however it ended. */
export function measureWhenClosed(response: ServerResponse, { method, route = 'none' }: Request): void {
  const stop = httpRequestSeconds.startTimer({ method, route });
  response.once('close', () => stop({ status: response.writableFinished ? response.statusCode : 'aborted' }));
}
