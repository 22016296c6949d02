import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What stands for the answer of a process that was not there to take the request. */
const NOBODY_THERE: Answer = { status: 0, headers: {}, text: '' };

/** Undefined: there was no whole answer, so nobody knows what became of the request. */
export function send(url: string, { method, path, body = '', headers, timeoutMs }: Call): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const type = path.endsWith('/import') ? 'application/x-ndjson' : 'application/json';
    const sent = request(
      `${url}${path}`,
      { method, agent, headers: { ...(body && { 'content-type': type }), ...headers }, timeout: timeoutMs },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', () => resolve(undefined));
        answer.on('close', () => resolve(undefined));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy());
    sent.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' ? NOBODY_THERE : undefined));
    sent.end(body);
  });
}
