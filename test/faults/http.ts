import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Called when the server closes the connection before the end of its answer. */
  readonly onBreak?: (hasBegun: boolean) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Represents a refused connection: the process did not receive the request. */
const CONNECTION_REFUSED: Answer = { status: 0, headers: {}, text: '' };

/** Returns undefined if there was no complete answer, so the outcome of the request is unknown. */
export function send(url: string, call: Call): Promise<Answer | undefined> {
  const { method, path, body = '', headers, timeoutMs, onBreak } = call;
  return new Promise((resolve) => {
    let isLate = false;
    let hasBegun = false;
    const broken = () => {
      if (!isLate) onBreak?.(hasBegun);
      resolve(undefined);
    };
    const type = path.endsWith('/import') ? 'application/x-ndjson' : 'application/json';
    const sent = request(
      `${url}${path}`,
      { method, agent, headers: { ...(body && { 'content-type': type }), ...headers }, timeout: timeoutMs },
      (answer) => {
        const chunks: Buffer[] = [];
        hasBegun = true;
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', broken);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('timeout', () => {
      isLate = true;
      sent.destroy();
    });
    sent.on('error', ({ code }: NodeJS.ErrnoException) =>
      code === 'ECONNREFUSED' ? resolve(CONNECTION_REFUSED) : broken(),
    );
    sent.end(body);
  });
}
