import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** COMMIT as a simple query of the driver: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');
/** The answer of PostgreSQL to COMMIT. In a pipeline, it follows the answers to earlier statements. */
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A proxy between the program and PostgreSQL that simulates failures of the network. */
export class PostgresProxy {
  private readonly pairs = new Set<Pair>();
  private readonly server = createServer((client) => this.accept(client));
  private isFrozen = false;
  private commitsToLose = 0;
  private repliesToLose = 0;
  /** Number of dropped COMMITs and dropped answers to COMMIT. */
  lost = 0;

  /** @param upstreamPort port of PostgreSQL, which may change with a restart */
  constructor(private readonly upstreamPort: () => number) {}

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Closes every connection. */
  cut(): void {
    for (const pair of this.pairs) end(pair);
  }

  /** Stops forwarding, and keeps all connections open. */
  freeze(): void {
    this.isFrozen = true;
    for (const { client, server } of this.pairs) {
      client.pause();
      server.pause();
    }
  }

  thaw(): void {
    this.isFrozen = false;
    for (const { client, server } of this.pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Drops the next COMMITs before they reach PostgreSQL, and closes their connections. */
  loseCommits(count: number): void {
    this.commitsToLose = count;
  }

  /** Forwards the next COMMITs, but drops their answers and closes their connections. */
  loseRepliesToCommits(count: number): void {
    this.repliesToLose = count;
  }

  stop(): void {
    this.server.close();
    this.cut();
  }

  private accept(client: Socket): void {
    const pair = { client, server: connect({ port: this.upstreamPort(), host: '127.0.0.1', noDelay: true }) };
    client.setNoDelay(true);
    this.pairs.add(pair);
    for (const socket of [pair.client, pair.server]) {
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        end(pair);
        this.pairs.delete(pair);
      });
    }
    this.carry(pair);
    if (!this.isFrozen) return;
    client.pause();
    pair.server.pause();
  }

  private carry(pair: Pair): void {
    const { client, server } = pair;
    let isReplyLost = false;
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes(COMMIT)) {
        if (this.commitsToLose > 0) {
          this.commitsToLose -= 1;
          this.lost += 1;
          return end(pair);
        }
        if (this.repliesToLose > 0) {
          this.repliesToLose -= 1;
          isReplyLost = true;
        }
      }
      server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      if (!isReplyLost || !chunk.includes(COMMITTED)) return void client.write(chunk);
      this.lost += 1;
      end(pair);
    });
  }
}

function end({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}
