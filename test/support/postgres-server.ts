import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Pool } from 'pg';
import type { EmbeddedPostgres } from '../../src/common/embedded-postgres/embedded-postgres.js';
import { until } from './until.js';

type Embedded = typeof import('../../src/common/embedded-postgres/embedded-postgres.js');

/** The module of the build that starts PostgreSQL. */
const EMBEDDED = pathToFileURL(resolve('dist/common/embedded-postgres/embedded-postgres.js')).href;
/** Durable, as in production. */
const SETTINGS = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_connections: '100' };
/** Another program may take the port between the search for a free port and the start of PostgreSQL. */
const TRIES_MAX = 5;
const TAKEN = 'Address already in use';
/** SQLSTATE class 42: syntax error or access rule violation. */
const INVALID_STATEMENT = '42';

/** A real PostgreSQL that can be crashed, with a direct connection for checks. */
export class PostgresServer {
  private server: EmbeddedPostgres | undefined;
  private pool: Pool | undefined;
  private isClosed = false;

  /** @param settings additional or changed settings of the server */
  constructor(
    private readonly folder: string,
    private readonly settings: Readonly<Record<string, string>> = {},
  ) {}

  async start(): Promise<this> {
    if (this.isClosed) throw new Error('PostgreSQL is closed');
    this.server = await run(this.folder, { ...SETTINGS, ...this.settings });
    this.pool = new Pool({ connectionString: this.server.url, max: 4 });
    this.pool.on('error', () => undefined);
    return this;
  }

  get url(): string {
    if (!this.server) throw new Error('PostgreSQL is not running');
    return this.server.url;
  }

  get port(): number {
    return this.server ? Number(new URL(this.server.url).port) : 1;
  }

  get dataFolder(): string {
    return join(this.server?.dataFolder ?? this.folder, 'pg');
  }

  /** Process id of the postmaster, the parent of all backends. */
  async pid(): Promise<number> {
    return Number.parseInt(await readFile(join(this.dataFolder, 'postmaster.pid'), 'utf8'), 10);
  }

  /** Runs SQL as superuser, without the proxy. */
  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    if (!this.pool) throw new Error('PostgreSQL is not running');
    const { rows } = await this.pool.query(statement, [...parameters]);
    return rows;
  }

  /** The same, but returns undefined on errors of the server, which may be stopped or full. Invalid SQL throws. */
  async tryQuery<Row>(statement: string): Promise<Row[] | undefined> {
    try {
      return await this.sql<Row>(statement);
    } catch (error) {
      if ((error as { code?: string }).code?.startsWith(INVALID_STATEMENT)) throw error;
      return undefined;
    }
  }

  /** Stops like `pg_ctl stop -m immediate`: SIGQUIT, no checkpoint, recovery at the next start. */
  async crash(): Promise<void> {
    const pid = await this.pid();
    const { server, pool } = this;
    this.server = undefined;
    this.pool = undefined;
    process.kill(pid, 'SIGQUIT');
    await pool?.end();
    await server?.exited;
    await rm(join(server?.dataFolder ?? this.folder, 'pg', 'postmaster.pid'), { force: true });
    await server?.stop();
  }

  /** Kills one backend, so PostgreSQL ends all others and recovers. Returns false if there was no backend. */
  async killBackend(): Promise<boolean> {
    const backends = await this.sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`,
    );
    const [backend] = backends;
    if (!backend || !kill(backend.pid)) return false;
    const killed = `SELECT pid FROM pg_stat_activity WHERE pid = ${backend.pid}`;
    await until('PostgreSQL has recovered', async () => (await this.tryQuery(killed))?.length === 0);
    return true;
  }

  /** Restarts PostgreSQL if the full disk has ended it. */
  async recover(): Promise<void> {
    const { server } = this;
    const hasEnded = await Promise.race([server?.exited.then(() => true), this.answers().then(() => false)]);
    if (!hasEnded) return;
    await rm(join(this.dataFolder, 'postmaster.pid'), { force: true });
    await server?.stop();
    await this.start();
  }

  async answers(): Promise<void> {
    await until('PostgreSQL answers', async () => (await this.tryQuery('SELECT 1')) !== undefined);
  }

  async stop(): Promise<void> {
    this.isClosed = true;
    await this.pool?.end();
    await this.server?.stop();
    this.server = undefined;
  }
}

/** Returns false if the process has already ended. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function run(dataFolder: string, settings: Readonly<Record<string, string>>): Promise<EmbeddedPostgres> {
  const { startEmbeddedPostgres }: Embedded = await import(EMBEDDED);
  for (let tries = 1; ; tries += 1) {
    try {
      return await startEmbeddedPostgres({ dataFolder, settings });
    } catch (error) {
      if (tries === TRIES_MAX || !String(error).includes(TAKEN)) throw error;
    }
  }
}
