import { chmod, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort } from '../../test/support/free-port.js';
import { PostgresServer } from '../../test/support/postgres-server.js';
import { RedisServer } from '../../test/support/redis-server.js';
import { Database } from './database.js';
import { Process, type ProcessOptions } from './process.js';
import { Undo } from './undo.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Of the file system that keeps its files in memory, where a commit costs nothing. */
const TMPFS = 0x01021994;
/** As documentation advises for a server with some gigabytes: a cache, and room between checkpoints. */
export const SERVER_SETTINGS = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  max_connections: '300',
};

/** What all benchmarks stand on: a PostgreSQL, a Redis and a folder, all of this run's own. */
export class Ground {
  private constructor(
    private readonly undo: Undo,
    readonly folder: string,
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
  ) {}

  /** @throws {Error} where the data would not be on a disk */
  static async open(): Promise<Ground> {
    const undo = new Undo();
    for (const signal of SIGNALS) process.on(signal, () => void undo.all().finally(() => process.exit(1)));
    try {
      await mkdir('.orderly', { recursive: true });
      const folder = await mkdtemp(resolve('.orderly/bench-data-'));
      undo.add(() => rm(folder, { recursive: true, force: true }));
      // PostgreSQL, which runs as nobody where we are root, has to get in.
      await chmod(folder, 0o755);
      const postgres = new PostgresServer(join(folder, 'data'), SERVER_SETTINGS);
      await postgres.start();
      const { dataFolder } = postgres;
      undo.add(() => rm(dataFolder, { recursive: true, force: true }));
      undo.add(() => postgres.stop());
      if ((await statfs(dataFolder)).type === TMPFS)
        throw new Error(`${dataFolder} is kept in memory: commits have to reach a disk`);
      const redis = await RedisServer.start(await freePort(), folder);
      undo.add(() => redis.stop());
      return new Ground(undo, folder, postgres, redis);
    } catch (error) {
      await undo.all();
      throw error;
    }
  }

  /** An empty database, or a copy of one that nobody uses now. */
  database(original?: Database): Promise<Database> {
    return Database.create(this.postgres, original);
  }

  /** Starts a program and waits until it answers. */
  async start(options: Omit<ProcessOptions, 'folder'>): Promise<Process> {
    if (this.undo.hasBegun) throw new Error('The benchmarks are being stopped');
    const process = await Process.launch({ ...options, folder: this.folder });
    this.undo.add(() => process.stop());
    await process.ready();
    return process;
  }

  /** Is undone at the end, unless whoever asks for it does so before. */
  atEnd(step: () => unknown): void {
    this.undo.add(step);
  }

  close(): Promise<void> {
    return this.undo.all();
  }
}
