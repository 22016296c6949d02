import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ports } from '../support/ports.js';
import { PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { App } from './app.js';
import { Disk } from './disk.js';
import { MailSink } from './mail-sink.js';
import { PostgresProxy } from './postgres-proxy.js';
import type { SystemUnderTest } from './system-under-test.js';

/** The processes of each topology, their modules (empty: all), and prefixes of the paths that they serve. */
const TOPOLOGIES = {
  mixed: [
    { name: 'first', modules: '', serves: ['/v1/'] },
    { name: 'counter', modules: 'orders,notifications', serves: ['/v1/orders', '/v1/operations'] },
  ],
  whole: [
    { name: 'first', modules: '', serves: ['/v1/'] },
    { name: 'second', modules: '', serves: ['/v1/'] },
  ],
  split: [
    { name: 'counter', modules: 'orders,notifications', serves: ['/v1/orders', '/v1/operations'] },
    { name: 'warehouse', modules: 'inventory', serves: ['/v1/products', '/v1/stock', '/v1/operations'] },
  ],
} as const;

/**
 * `whole`: both processes have all modules, so reactions run in the publisher's transaction. `split`: each process has
 * other modules, so reactions run as deliveries. `mixed`: either, depending on the process that receives a request.
 */
export type Topology = keyof typeof TOPOLOGIES;

/** The backend of BullMQ. */
export type Queues = 'redis' | 'postgres';

/** Configuration of the system under test. */
export interface Setup {
  readonly topology: Topology;
  readonly queues: Queues;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The servers of a campaign, two processes of the system under test, and the proxy between them and PostgreSQL. */
export interface Rig {
  readonly folder: string;
  readonly system: SystemUnderTest;
  readonly postgres: PostgresServer;
  readonly proxy: PostgresProxy;
  readonly redis: RedisServer;
  readonly mail: MailSink;
  readonly apps: readonly App[];
  /** The disk of PostgreSQL, if it may be filled. */
  readonly disk: Disk | undefined;
  stop(): Promise<void>;
}

export async function buildRig(system: SystemUnderTest, { topology, queues }: Setup): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'orderly-faults-'));
  // If we are root, PostgreSQL runs as the user nobody, who needs access to the folder.
  await chmod(folder, 0o755);
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= undoAll(undo));
  const interrupt = () => void stop().finally(() => process.exit(1));
  for (const signal of SIGNALS) process.on(signal, interrupt);
  undo.push(() => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  });
  try {
    const ports = await Ports.reserve();
    undo.push(() => ports.release());
    const mounted = await Disk.mount(join(folder, 'disk'));
    undo.push(() => mounted.unmount());
    const postgres = await new PostgresServer(join(mounted.folder, 'data')).start();
    undo.push(() => postgres.stop());
    const disk = mounted.isOwn && postgres.dataFolder.startsWith(mounted.folder) ? mounted : undefined;
    const proxy = await new PostgresProxy(() => postgres.port).listen();
    undo.push(() => proxy.stop());
    const redis = await RedisServer.start(await ports.take(), folder);
    undo.push(() => redis.stop());
    const mail = await new MailSink().listen();
    undo.push(() => mail.stop());
    const environment = {
      DATABASE_URL: Object.assign(new URL(postgres.url), { port: String(proxy.port) }).toString(),
      ...(queues === 'redis' && { REDIS_URL: redis.url }),
      SMTP_URL: mail.url,
      DEMO_CATALOGUE: 'off',
    };
    const apps: App[] = [];
    for (const { name, modules, serves } of TOPOLOGIES[topology]) {
      // One of the processes uses the database roles of the modules.
      const own = { ...environment, MODULES: modules, MODULE_ROLES: apps.length === 0 ? 'enforced' : 'off' };
      const { main, health } = system;
      apps.push(new App({ name, main, health, port: await ports.take(), folder, environment: own, serves }));
    }
    for (const app of apps) {
      undo.push(() => app.close());
      await app.restart();
    }
    return { folder, system, postgres, proxy, redis, mail, apps, disk, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs the clean-up steps, last added first. If one fails, the others still run. */
async function undoAll(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps.toReversed()) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'The clean-up of the campaign failed');
}
