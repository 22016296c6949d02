import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';

/** Stands before a server and can go silent: connections stay open, and nothing gets through, as behind a cut cable. */
export class WeakLink {
  private readonly ends = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: string): Promise<WeakLink> {
    const { hostname, port } = new URL(target);
    const server = createServer((client) => link.connect(client, new Socket().connect(Number(port || 5432), hostname)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = Object.assign(new URL(target), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    const link = new WeakLink(server, url.toString());
    return link;
  }

  /** What is connected now never hears anything again. New connections are sound. */
  goSilent(): void {
    for (const end of this.ends) end.removeAllListeners('data').resume();
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
      end.on('data', (data) => other.write(data));
      end.on('close', () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}
