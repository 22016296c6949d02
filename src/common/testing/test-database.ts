import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';

/** Written by test/support/global-setup.mjs for the test processes. */
const SERVER_FILE = '.orderly/test/server.json';

interface TestServer {
  readonly url: string;
  /** A database with the tables of all modules and no rows; each test gets a copy. */
  readonly template: string;
}

/** The database of one test, with all tables and no rows. */
export class TestDatabase {
  private constructor(
    private readonly serverUrl: string,
    private readonly name: string,
  ) {}

  static async create(): Promise<TestDatabase> {
    const { url, template }: TestServer = JSON.parse(await readFile(SERVER_FILE, 'utf8'));
    const database = new TestDatabase(url, `orderly_test_${randomBytes(6).toString('hex')}`);
    await onServer(url, `CREATE DATABASE ${database.name} TEMPLATE ${template}`);
    return database;
  }

  get url(): string {
    return urlOf(this.serverUrl, this.name);
  }

  async drop(): Promise<void> {
    await onServer(this.serverUrl, `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.toString();
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
