import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ephemeral ports of operating systems. Otherwise an outgoing connection could take the port of a process
 * while it restarts.
 */
const FIRST = 20_000;
const LAST = 29_999;
const BLOCK = 16;

/** Ports that are reserved for this process, also while the servers that use them restart. */
export class Ports {
  private last: number;

  private constructor(
    private readonly keeper: Server,
    private readonly first: number,
  ) {
    this.last = first;
  }

  /**
   * Reserves a block of ports by listening on its first port. Another campaign takes the next block.
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
      if (this.last === this.first + BLOCK) throw new Error('All reserved ports are in use');
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
