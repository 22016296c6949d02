import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { openSync } from 'node:fs';
import { readFile, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { type Account, isReachableBy, isRoot, NOBODY } from './account.js';
import { type Binaries, findBinaries } from './binaries.js';
import { accountFor, Cluster, cannotRun, makeFolder, USER } from './cluster.js';
import { lockDataFolder } from './data-folder-lock.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';

const DATABASE = 'orderly';
/** The longest start, including recovery after a crash. */
const READY_MS = 60_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** The folder for root's data and programs when the account `nobody` cannot enter the checkout. */
const SHARED_FOLDER = '/var/lib/orderly';
const SETTINGS = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100' };

/** A PostgreSQL server that this program has started on this machine. */
export interface EmbeddedPostgres {
  /** Contains the password. */
  readonly url: string;
  /** The folder of the data, which differs from the configured one when PostgreSQL cannot reach that. */
  readonly dataFolder: string;
  readonly version: string;
  /** Resolves with the reason when the server ends. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataFolder: string;
  /** Further settings of the server, e.g. `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts PostgreSQL on a data folder, which is created on first use. A server that a killed program left running on it
 * is stopped first.
 * @throws {EmbeddedPostgresFailed} with the remedy
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
    await cluster.stopOrphan();
    await limitLogSize(cluster.log);
    const port = await freePort();
    const server = launch(cluster, { binaries, account, settings: { ...SETTINGS, ...settings, port: String(port) } });
    const url = `postgres://${USER}:${password}@127.0.0.1:${port}`;
    const version = await Promise.race([waitUntilReady(url), server.failed]);
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

/** If we are root, PostgreSQL runs as another account, which may have no access to this checkout. */
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

function launch(cluster: Cluster, { binaries, account, settings }: Launch) {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(cluster.log, 'a', 0o600);
  // In its own process group, so that Ctrl-C does not stop it: we stop it after the last connection was closed.
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
    void exited.then((reason) => reject(new EmbeddedPostgresFailed(reason)));
  });
  failed.catch(() => undefined);
  return { exited, failed };
}

/** Waits until the server accepts connections, and creates the database on first use. Returns the server's version. */
async function waitUntilReady(url: string): Promise<string> {
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
        throw new EmbeddedPostgresFailed(`The embedded PostgreSQL accepts no connections after ${READY_MS / 1_000} s`, {
          cause,
        });
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

async function limitLogSize(log: string): Promise<void> {
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
