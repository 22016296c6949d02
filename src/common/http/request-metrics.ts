import type { ServerResponse } from 'node:http';
import { defineHistogram, LATENCY_SECONDS } from '../metrics/metrics-registry.js';

const requestSeconds = defineHistogram({
  name: 'orderly_http_request_duration_seconds',
  help: 'Duration of HTTP requests until the response was written.',
  labelNames: ['method', 'route', 'status'],
  buckets: LATENCY_SECONDS,
});

interface Request {
  readonly method: string;
  readonly route: string | undefined;
}

/** Measures a request until the response was sent or the connection was closed. */
export function measureRequest(response: ServerResponse, { method, route = 'none' }: Request): void {
  const stop = requestSeconds.startTimer({ method, route });
  response.once('close', () => stop({ status: response.writableFinished ? response.statusCode : 'aborted' }));
}
