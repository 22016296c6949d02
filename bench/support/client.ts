import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const TIMEOUT_MS = 30_000;

interface PendingRequest {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One keep-alive connection that sends one request at a time. It implements only the part of HTTP that our answers
 * need, because it shares the processors with the measured program: autocannon takes three times as much processor
 * time.
 */
export class Client {
  private pending: PendingRequest | undefined;
  private received: Buffer = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.setTimeout(TIMEOUT_MS, () => this.fail(new Error(`No answer for ${TIMEOUT_MS} ms`)));
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('The connection was closed')));
  }

  static async connect(url: string): Promise<Client> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return new Client(socket);
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.pending = undefined;
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length === undefined) return this.fail(new Error(`The answer has no Content-Length:\n${head}`));
    const start = headEnd + HEAD_END.length;
    if (this.received.length < start + Number(length)) return;
    const body = this.received.toString('utf8', start, start + Number(length));
    this.received = this.received.subarray(start + Number(length));
    const { pending } = this;
    this.pending = undefined;
    pending?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  private fail(error: Error): void {
    this.socket.destroy();
    this.pending?.reject(error);
    this.pending = undefined;
  }
}
