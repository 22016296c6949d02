import { chmod, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort } from '../../test/support/free-port.js';
import { PostgresServer } from '../../test/support/postgres-server.js';
import { RedisServer } from '../../test/support/redis-server.js';
import { Database } from './database.js';
import { Process, type ProcessOptions } from './process.js';
import { Undo } from './undo.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Type number of the file system in memory, on which a commit costs nothing. See statfs(2). */
const TMPFS = 0x01021994;
/** Common values for a server with some gigabytes of memory: a larger cache and fewer checkpoints. */
export const SERVER_SETTINGS = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  max_connections: '300',
};

/** The servers and the folder of one run: its own PostgreSQL and its own Redis. */
export class TestBed {
  private constructor(
    private readonly undo: Undo,
    readonly folder: string,
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
  ) {}

  /** @throws {Error} when the data would not be on a disk */
  static async open(): Promise<TestBed> {
    const undo = new Undo();
    for (const signal of SIGNALS) process.on(signal, () => void undo.all().finally(() => process.exit(1)));
    try {
      await mkdir('.orderly', { recursive: true });
      const folder = await mkdtemp(resolve('.orderly/bench-data-'));
      undo.add(() => rm(folder, { recursive: true, force: true }));
      // If we are root, PostgreSQL runs as the user nobody, who needs access to the folder.
      await chmod(folder, 0o755);
      const postgres = new PostgresServer(join(folder, 'data'), SERVER_SETTINGS);
      await postgres.start();
      const { dataFolder } = postgres;
      undo.add(() => rm(dataFolder, { recursive: true, force: true }));
      undo.add(() => postgres.stop());
      if ((await statfs(dataFolder)).type === TMPFS)
        throw new Error(`${dataFolder} is on tmpfs: commits must reach a disk`);
      const redis = await RedisServer.start(await freePort(), folder);
      undo.add(() => redis.stop());
      return new TestBed(undo, folder, postgres, redis);
    } catch (error) {
      await undo.all();
      throw error;
    }
  }

  /** Creates an empty database, or a copy of another one, whose connections are ended. */
  database(original?: Database): Promise<Database> {
    return Database.create(this.postgres, original);
  }

  /** Starts a program and waits until it is ready. */
  async start(options: Omit<ProcessOptions, 'folder'>): Promise<Process> {
    if (this.undo.hasBegun) throw new Error('The benchmarks are being stopped');
    const process = await Process.launch({ ...options, folder: this.folder });
    this.undo.add(() => process.stop());
    await process.ready();
    return process;
  }

  /** Registers a clean-up step for the end of the run. It must be harmless if the resource was released before. */
  atEnd(step: () => unknown): void {
    this.undo.add(step);
  }

  close(): Promise<void> {
    return this.undo.all();
  }
}
