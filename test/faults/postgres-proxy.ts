import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** As the driver sends it: a simple query. See https://www.postgresql.org/docs/current/protocol-message-formats.html */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');
/** As PostgreSQL says that it took place, behind the answers to the statements that were sent along with it. */
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between the program and PostgreSQL, and does what networks do. */
export class PostgresProxy {
  private readonly pairs = new Set<Pair>();
  private readonly server = createServer((client) => this.accept(client));
  private isFrozen = false;
  private commitsToLose = 0;
  private repliesToLose = 0;
  /** COMMITs, or answers to them, that it has lost so far. */
  lost = 0;

  /** @param upstreamPort where PostgreSQL listens; it may change when that is started again */
  constructor(private readonly upstreamPort: () => number) {}

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection, without a word to either side. */
  cut(): void {
    for (const pair of this.pairs) end(pair);
  }

  /** From here on nothing gets through, and nobody is told so. */
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

  /** The next COMMITs get lost on their way to PostgreSQL, and their connections with them. */
  loseCommits(count: number): void {
    this.commitsToLose = count;
  }

  /** The next COMMITs take place, but their answers get lost and their connections with them. */
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
