import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { openSync } from 'node:fs';
import { readFile, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { type Binaries, findBinaries } from './binaries.js';
import { accountFor, Cluster, cannotRun, makeFolder, USER } from './cluster.js';
import { lockDataFolder } from './data-folder-lock.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';
import { type Account, isReachableBy, isRoot, NOBODY } from './run-as.js';

const DATABASE = 'orderly';
/** Recovery after a crash has to be over by then. */
const READY_MS = 60_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Where root keeps what nobody has to reach, when the checkout is closed to others. */
const SHARED_FOLDER = '/var/lib/orderly';
const SETTINGS = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100' };

/** A PostgreSQL of our own, running on this machine. */
export interface EmbeddedPostgres {
  /** With its password. */
  readonly url: string;
  /** Where the data really is. */
  readonly dataFolder: string;
  readonly version: string;
  /** Resolves with the reason when it ends without having been told to. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataFolder: string;
  /** Further settings of the server, e.g. `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts PostgreSQL's real binaries on a data folder, which is made on first use. A server that a killed process left
 * behind on it is stopped first.
 * @throws {EmbeddedPostgresFailed} that says what to do
 */
export async function startEmbeddedPostgres({
  dataFolder,
  settings,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = await reachableFolder(resolve(dataFolder));
  await makeFolder(folder);
  const release = await lockDataFolder(folder);
  try {
    const account = await accountFor(folder);
    const binaries = await findBinaries(account, SHARED_FOLDER);
    const cluster = new Cluster(folder, binaries, account);
    const password = await cluster.prepare();
    await cluster.stopLeftOver();
    await keepLogShort(cluster.log);
    const port = await freePort();
    const server = run(cluster, { binaries, account, settings: { ...SETTINGS, ...settings, port: String(port) } });
    const url = `postgres://${USER}:${password}@127.0.0.1:${port}`;
    const version = await Promise.race([ready(url), server.failed]);
    return { url: `${url}/${DATABASE}`, dataFolder: folder, version, exited: server.exited, stop: once(stop) };

    async function stop(): Promise<void> {
      await cluster.stop();
      await release();
    }
  } catch (error) {
    await release();
    throw error;
  }
}

/** As root PostgreSQL runs as somebody else, who may not be let into this checkout. */
async function reachableFolder(folder: string): Promise<string> {
  if (!isRoot()) return folder;
  await makeFolder(folder);
  if (await isReachableBy(NOBODY, join(folder, 'pg'))) return folder;
  return join(SHARED_FOLDER, createHash('sha256').update(folder).digest('hex').slice(0, 12));
}

interface Launch {
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly settings: Readonly<Record<string, string>>;
}

function run(cluster: Cluster, { binaries, account, settings }: Launch) {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(cluster.log, 'a', 0o600);
  // In a process group of its own: Ctrl-C is for us, and we stop it when its last client is gone.
  const options = {
    cwd: cluster.folder,
    detached: true,
    stdio: ['ignore', log, log] as ['ignore', number, number],
    ...account,
  };
  const child: ChildProcess = spawn(binaries.postgres, ['-D', cluster.data, ...args], options);
  child.unref();
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      void tail(cluster.log).then((lines) => resolve(`The embedded PostgreSQL ended (${signal ?? code}):\n${lines}`));
    });
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(cannotRun(binaries.postgres, error, '')));
    void exited.then((why) => reject(new EmbeddedPostgresFailed(why)));
  });
  failed.catch(() => undefined);
  return { exited, failed };
}

/** Waits for the server to take connections, and makes the database where there is none. Gives the server's version. */
async function ready(url: string): Promise<string> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const client = new Client({ connectionString: `${url}/postgres` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rows.length === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      const { rows: versions } = await client.query<{ server_version: string }>('SHOW server_version');
      return versions[0]?.server_version ?? '';
    } catch (cause) {
      if (performance.now() > deadline)
        throw new EmbeddedPostgresFailed('The embedded PostgreSQL takes no connections', { cause });
      await pause(20);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string')
    throw new EmbeddedPostgresFailed('This machine has no free port');
  return address.port;
}

async function keepLogShort(log: string): Promise<void> {
  const size = await stat(log).then(
    ({ size }) => size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await truncate(log);
}

async function tail(log: string): Promise<string> {
  return (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5).join('\n');
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
