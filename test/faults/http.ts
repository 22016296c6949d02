import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Hears when the other side hangs up instead of answering, or in the middle of it. */
  readonly onBreak?: (hasBegun: boolean) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What stands for the answer of a process that was not there to take the request. */
const NOBODY_THERE: Answer = { status: 0, headers: {}, text: '' };

/** Undefined: there was no whole answer, so nobody knows what became of the request. */
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
    sent.on('error', ({ code }: NodeJS.ErrnoException) => (code === 'ECONNREFUSED' ? resolve(NOBODY_THERE) : broken()));
    sent.end(body);
  });
}
