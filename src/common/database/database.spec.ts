import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';
import type { DataSource } from 'typeorm';
import { TestDatabase } from '../testing/test-database.js';
import { createDataSource } from './data-source.js';
import { Database, type Session } from './database.js';
import { isDatabaseLost } from './database-errors.js';

/** What PostgreSQL's protocol calls a simple query with this text: type, length, text, zero. */
const COMMIT = Buffer.concat([Buffer.from('Q'), Buffer.from([0, 0, 0, 11]), Buffer.from('COMMIT\0')]);

/** Stands between the program and PostgreSQL, and hangs up when it sees a COMMIT. */
class Proxy {
  /** Whether the COMMIT still reaches PostgreSQL. */
  letsCommitThrough = true;
  private isArmed = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: URL): Promise<Proxy> {
    const server = createServer((client) => proxy.connect(client, target));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = new URL(target);
    url.host = `127.0.0.1:${port}`;
    const proxy = new Proxy(server, url.toString());
    return proxy;
  }

  dropNextCommit({ letThrough }: { letThrough: boolean }): void {
    this.letsCommitThrough = letThrough;
    this.isArmed = true;
  }

  close(): void {
    this.server.close();
  }

  private connect(client: Socket, { hostname, port }: URL): void {
    const upstream = new Socket().connect(Number(port || 5432), hostname);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (data) => client.write(data));
    client.on('data', (data) => {
      if (!this.isArmed || !data.includes(COMMIT)) return void upstream.write(data);
      this.isArmed = false;
      if (!this.letsCommitThrough) return void client.destroy();
      upstream.removeAllListeners('data');
      upstream.once('data', () => client.destroy());
      upstream.write(data);
    });
  }
}

describe('a COMMIT whose answer is lost', () => {
  let testDatabase: TestDatabase;
  let proxy: Proxy;
  let dataSource: DataSource;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await TestDatabase.create();
    proxy = await Proxy.before(new URL(testDatabase.url));
    dataSource = await createDataSource({ url: proxy.url, poolSize: 3, modules: [] }).initialize();
    await dataSource.query('CREATE TABLE note (text text)');
    database = new Database(dataSource, { enforceRoles: false });
  });

  afterAll(async () => {
    await dataSource.destroy();
    proxy.close();
    await testDatabase.drop();
  });

  const write = async (session: Session, text: string) => {
    await session.manager.query('INSERT INTO note VALUES ($1)', [text]);
    const [row] = await session.manager.query('SELECT pg_current_xact_id()::text AS id');
    session.transactionId = row.id;
    return text;
  };
  const notes = async () => (await dataSource.query('SELECT text FROM note')).map(({ text }: { text: string }) => text);

  test('is looked up, and counts as done when PostgreSQL had done it', async () => {
    proxy.dropNextCommit({ letThrough: true });

    await expect(database.transaction('toys', (session) => write(session, 'kept'))).resolves.toBe('kept');

    expect(await notes()).toContain('kept');
  });

  test('is an error when PostgreSQL never saw it', async () => {
    proxy.dropNextCommit({ letThrough: false });

    const lost = database.transaction('toys', (session) => write(session, 'lost')).catch((error: unknown) => error);

    expect(isDatabaseLost(await lost)).toBe(true);
    expect(await notes()).not.toContain('lost');
  });

  test('leaves the pool in order', async () => {
    await Promise.all(
      [1, 2, 3, 4, 5].map((each) => database.transaction('toys', (session) => write(session, `after ${each}`))),
    );

    expect((await notes()).filter((text: string) => text.startsWith('after'))).toHaveLength(5);
  });
});
