import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The response of a module over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed when it is JSON, else text. Untyped, because each test asserts the shape that it expects. */
  readonly body: any;
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: object | string;
}

/** Sends a request to a program without a network. */
export async function send(app: NestFastifyApplication, request: Request): Promise<Answer> {
  const { statusCode: status, headers, payload, json } = await app.inject(request);
  const isJson = String(headers['content-type']).includes('json');
  return { status, headers, body: isJson ? json() : payload };
}
