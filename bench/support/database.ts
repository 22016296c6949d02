import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import type { PostgresServer } from '../../test/support/postgres-server.js';

/** One database of the server. */
export class Database {
  private readonly pool: Pool;

  private constructor(
    private readonly server: PostgresServer,
    readonly name: string,
  ) {
    this.pool = new Pool({ connectionString: this.url, max: 2 });
    // Dropping the database ends idle connections.
    this.pool.on('error', () => undefined);
  }

  static async create(server: PostgresServer, original?: Database): Promise<Database> {
    const name = `bench_${randomBytes(4).toString('hex')}`;
    await original?.endConnections();
    await server.sql(`CREATE DATABASE ${name} TEMPLATE ${original?.name ?? 'template0'} STRATEGY file_copy`);
    return new Database(server, name);
  }

  get url(): string {
    return Object.assign(new URL(this.server.url), { pathname: `/${this.name}` }).toString();
  }

  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.pool.query(statement, [...parameters]);
    return rows;
  }

  /** Runs a statement that returns one number. */
  async number(statement: string): Promise<number> {
    const [row] = await this.sql<Record<string, unknown>>(statement);
    return Number(Object.values(row ?? {})[0]);
  }

  async drop(): Promise<void> {
    await this.pool.end();
    await this.server.sql(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }

  private async endConnections(): Promise<void> {
    await this.server.sql(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '${this.name}'`,
    );
  }
}
