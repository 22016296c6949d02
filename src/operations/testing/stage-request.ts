import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What a module answered over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed where it is JSON, else text. What a test expects of it is the test's to say. */
  readonly body: any;
}

/** What a module is asked over HTTP. */
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
