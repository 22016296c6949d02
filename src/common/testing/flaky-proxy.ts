import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** The last message of each of PostgreSQL's answers, ReadyForQuery, has so many bytes. */
const LAST_MESSAGE_BYTES = 6;
const READY = 'Z'.charCodeAt(0);
const APART_MS = 5;
/** That PostgreSQL ends the connection. See https://www.postgresql.org/docs/current/protocol-error-fields.html */
const FAREWELL = error('SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command');

/** Stands before a server and can go silent: connections stay open, and nothing gets through, as behind a cut cable. */
export class FlakyProxy {
  private readonly ends = new Set<Socket>();
  private isSlow = false;
  private isLeaving = false;
  private passed = Promise.resolve();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: string): Promise<FlakyProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((client) => link.connect(client, new Socket().connect(Number(port || 5432), hostname)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = Object.assign(new URL(target), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    const link = new FlakyProxy(server, url.toString());
    return link;
  }

  /** What is connected now never hears anything again. New connections are sound. */
  goSilent(): void {
    for (const end of this.ends) end.removeAllListeners('data').resume();
  }

  /** From here on the last message of an answer comes apart from the others, as it may on any network. */
  goSlow(): void {
    this.isSlow = true;
  }

  /** The next answer is the last one of its connection, and its end comes with it. */
  goAway(): void {
    this.isLeaving = true;
  }

  close(): void {
    this.server.close();
    for (const end of this.ends) end.destroy();
  }

  private connect(client: Socket, upstream: Socket): void {
    for (const [end, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.ends.add(end);
      end.on('error', () => undefined);
      end.on('data', (data) => this.pass(data, other));
      end.on('close', () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }

  private pass(data: Buffer, to: Socket): void {
    if (this.isLeaving && data.at(-LAST_MESSAGE_BYTES) === READY) {
      this.isLeaving = false;
      return void to.end(Buffer.concat([data, FAREWELL]));
    }
    if (!this.isSlow) return void to.write(data);
    this.passed = this.passed.then(async () => {
      to.write(data.subarray(0, -LAST_MESSAGE_BYTES));
      await pause(APART_MS);
      to.write(data.subarray(-LAST_MESSAGE_BYTES));
    });
  }
}

function error(...fields: readonly string[]): Buffer {
  const text = `${fields.map((field) => `${field}\0`).join('')}\0`;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(length.length + text.length);
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(text)]);
}
