import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, Pool } from 'pg';

/** Written by global-setup.mjs. */
const SERVER_FILE = '.orderly/test/server.json';

/** The database of one journey. Journeys test the program from outside, so they import nothing from src/. */
export class JourneyDatabase {
  private readonly pool: Pool;

  private constructor(
    private readonly serverUrl: string,
    private readonly name: string,
  ) {
    this.pool = new Pool({ connectionString: this.url, max: 2 });
    // Dropping the database ends idle connections.
    this.pool.on('error', () => undefined);
  }

  /**
   * Creates a database without tables, which the program creates itself, or a copy of another one without connections.
   */
  static async create(original?: JourneyDatabase): Promise<JourneyDatabase> {
    const { url }: { url: string } = JSON.parse(await readFile(SERVER_FILE, 'utf8'));
    const name = `orderly_journey_${randomBytes(6).toString('hex')}`;
    await onServer(url, `CREATE DATABASE ${name} TEMPLATE ${original?.name ?? 'template0'}`);
    return new JourneyDatabase(url, name);
  }

  get url(): string {
    return Object.assign(new URL(this.serverUrl), { pathname: `/${this.name}` }).toString();
  }

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.pool.query(sql, [...parameters]);
    return rows;
  }

  /** Runs the work in a transaction that is rolled back, with triggers and foreign keys off. */
  async rolledBack<Result>(work: (rows: { sql: JourneyDatabase['query'] }) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica');
      return await work({ sql: async (sql, parameters) => (await client.query(sql, [...(parameters ?? [])])).rows });
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  async drop(): Promise<void> {
    await this.pool.end();
    await onServer(this.serverUrl, `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

async function onServer(serverUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
