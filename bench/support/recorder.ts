import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Conversation, type Statement } from './statement.js';
import { Messages } from './wire.js';

/** A proxy between a program and PostgreSQL that records the statements of the program. */
export class Recorder {
  private statements: Statement[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => this.accept(client));

  private constructor(private readonly upstream: URL) {}

  /** @param url of PostgreSQL */
  static async inFrontOf(url: string): Promise<Recorder> {
    const recorder = new Recorder(new URL(url));
    recorder.server.listen(0, '127.0.0.1');
    await once(recorder.server, 'listening');
    return recorder;
  }

  /** URL of the proxy, for the program. */
  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return Object.assign(new URL(this.upstream), { port: String(port) }).toString();
  }

  /** Returns the statements of all connections while the work runs. */
  async during(work: () => Promise<unknown>): Promise<readonly Statement[]> {
    this.statements = [];
    await work();
    return this.statements;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const server = connect({ host: this.upstream.hostname, port: Number(this.upstream.port), noDelay: true });
    client.setNoDelay(true);
    const conversation = new Conversation();
    const [requests, answers] = [new Messages(true), new Messages(false)];
    client.on('data', (chunk) => {
      const sent = requests.take(chunk).map((message) => conversation.clientMessage(message));
      this.statements.push(...sent.filter((statement) => statement !== undefined));
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      for (const message of answers.take(chunk)) conversation.serverMessage(message);
      client.write(chunk);
    });
    this.closeWith(client, server);
    this.closeWith(server, client);
  }

  private closeWith(socket: Socket, other: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      this.sockets.delete(socket);
      other.destroy();
    });
  }
}
