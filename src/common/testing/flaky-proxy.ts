import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** The size of ReadyForQuery, the last message of each answer of PostgreSQL. */
const READY_FOR_QUERY_BYTES = 6;
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const DELAY_MS = 5;
/** PostgreSQL ends the connection. See https://www.postgresql.org/docs/current/protocol-error-fields.html */
const TERMINATION = error('SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command');

/** A TCP proxy before PostgreSQL that breaks connections in the ways in which networks and servers do. */
export class FlakyProxy {
  private readonly sockets = new Set<Socket>();
  private delaysReadyForQuery = false;
  private terminatesNext = false;
  private forwarded = Promise.resolve();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: string): Promise<FlakyProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((client) =>
      proxy.connect(client, new Socket().connect(Number(port || 5432), hostname)),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = Object.assign(new URL(target), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    const proxy = new FlakyProxy(server, url.toString());
    return proxy;
  }

  /** Drops all data of the present connections, which stay open, as behind a cut cable. New connections work. */
  stopAnswering(): void {
    for (const socket of this.sockets) socket.removeAllListeners('data').resume();
  }

  /** Delays the last message of each answer, as any network may. */
  delayReadyForQuery(): void {
    this.delaysReadyForQuery = true;
  }

  /** Ends a connection together with its next answer. */
  terminateNext(): void {
    this.terminatesNext = true;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private connect(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (data) => this.forward(data, to));
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }

  private forward(data: Buffer, to: Socket): void {
    if (this.terminatesNext && data.at(-READY_FOR_QUERY_BYTES) === READY_FOR_QUERY) {
      this.terminatesNext = false;
      return void to.end(Buffer.concat([data, TERMINATION]));
    }
    if (!this.delaysReadyForQuery) return void to.write(data);
    this.forwarded = this.forwarded.then(async () => {
      to.write(data.subarray(0, -READY_FOR_QUERY_BYTES));
      await pause(DELAY_MS);
      to.write(data.subarray(-READY_FOR_QUERY_BYTES));
    });
  }
}

function error(...fields: readonly string[]): Buffer {
  const text = `${fields.map((field) => `${field}\0`).join('')}\0`;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(length.length + text.length);
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(text)]);
}
