import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below those that systems give to connections: such a one could sit on the port of a process that is down for a
 * moment.
 */
const FIRST = 20_000;
const LAST = 29_999;
const BLOCK = 16;

/** Ports that nobody else uses, and that are ours over all restarts of whoever listens on them. */
export class Ports {
  private last: number;

  private constructor(
    private readonly keeper: Server,
    private readonly first: number,
  ) {
    this.last = first;
  }

  /**
   * Whoever listens on the first port of a block has the block: another campaign that starts now takes the next one.
   */
  static async reserve(): Promise<Ports> {
    for (let first = FIRST; first + BLOCK <= LAST; first += BLOCK) {
      const keeper = await listen(first);
      if (keeper) return new Ports(keeper, first);
    }
    throw new Error(`There is no free port between ${FIRST} and ${LAST}`);
  }

  async take(): Promise<number> {
    for (;;) {
      this.last += 1;
      if (this.last === this.first + BLOCK) throw new Error('More ports are needed than a campaign has');
      const server = await listen(this.last);
      if (!server) continue;
      await close(server);
      return this.last;
    }
  }

  async release(): Promise<void> {
    await close(this.keeper);
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
