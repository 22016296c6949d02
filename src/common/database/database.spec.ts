import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';
import type { DataSource, EntityManager } from 'typeorm';
import { TestDatabase } from '../testing/test-database.js';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { CommitUnknown, isDatabaseLost, TransactionEnded } from './database-errors.js';
import type { Session } from './session.js';

/** A simple query of PostgreSQL's protocol: type, length, text, zero. */
const COMMIT = Buffer.concat([Buffer.from('Q'), Buffer.from([0, 0, 0, 11]), Buffer.from('COMMIT\0')]);

/** A proxy between the program and PostgreSQL that closes the connection when a COMMIT is sent. */
class Proxy {
  /** Whether the COMMIT is still forwarded to PostgreSQL. */
  private forwardsCommit = true;
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

  loseNextCommit({ forward }: { forward: boolean }): void {
    this.forwardsCommit = forward;
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
      if (!this.forwardsCommit) return void client.destroy();
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
    dataSource = await createDataSource({ url: proxy.url, poolSize: 3, entities: [], migrations: [] }).initialize();
    await dataSource.query('CREATE TABLE note (text text)');
    database = new Database(dataSource, { enforceRoles: false });
  });

  afterAll(async () => {
    await dataSource.destroy();
    proxy.close();
    await testDatabase.drop();
  });

  const write = async (session: Session, text: string) => {
    const eventId = randomUUID();
    await session.manager.query('INSERT INTO note VALUES ($1)', [text]);
    await session.manager.query(
      `INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, occurred_at)
       VALUES ($1::uuid, 'toy/' || $1::uuid, 1, 'toys.toy-made.v1', '{}', '{}', '', now())`,
      [eventId],
    );
    session.writtenRow = { select: 'SELECT FROM backbone.event WHERE id = $2', id: eventId };
    return text;
  };
  const notes = async () => (await dataSource.query('SELECT text FROM note')).map(({ text }: { text: string }) => text);

  test('is a success if the written row exists', async () => {
    proxy.loseNextCommit({ forward: true });

    await expect(database.transaction('toys', (session) => write(session, 'kept'))).resolves.toBe('kept');

    expect(await notes()).toContain('kept');
  });

  test('is an error if PostgreSQL did not receive it', async () => {
    proxy.loseNextCommit({ forward: false });

    const lost = database.transaction('toys', (session) => write(session, 'lost')).catch((error: unknown) => error);

    expect(isDatabaseLost(await lost)).toBe(true);
    expect(await notes()).not.toContain('lost');
  });

  test('is an error if the row is missing, even if a transaction with the same id was committed', async () => {
    proxy.loseNextCommit({ forward: true });

    const lost = database
      .transaction('toys', async (session) => {
        await write(session, 'of another one');
        session.writtenRow = { select: 'SELECT FROM backbone.event WHERE id = $2', id: randomUUID() };
      })
      .catch((error: unknown) => error);

    expect(isDatabaseLost(await lost)).toBe(true);
  });

  test('has an unknown outcome if no row was written and the transaction id was lost as well', async () => {
    proxy.loseNextCommit({ forward: true });

    const lost = database.transaction('toys', async (session) => {
      session.send('INSERT INTO note VALUES ($1)', ['unknown']);
    });

    await expect(lost).rejects.toThrow(CommitUnknown);
  });

  test('leaves a pool whose connections all work', async () => {
    await Promise.all(
      [1, 2, 3, 4, 5].map((each) => database.transaction('toys', (session) => write(session, `after ${each}`))),
    );

    expect((await notes()).filter((text: string) => text.startsWith('after'))).toHaveLength(5);
  });
});

describe('the statements of a transaction', () => {
  let testDatabase: TestDatabase;
  let dataSource: DataSource;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await TestDatabase.create();
    dataSource = await createDataSource({
      url: testDatabase.url,
      poolSize: 3,
      entities: [],
      migrations: [],
    }).initialize();
    await dataSource.query('CREATE TABLE note (text text)');
    database = new Database(dataSource, { enforceRoles: false });
  });

  afterAll(async () => {
    await dataSource.destroy();
    await testDatabase.drop();
  });

  /** Sends one statement after the other until one is refused. */
  const writeUntilRefused = async ({ manager }: Session): Promise<never> => {
    for (;;) await manager.query(`INSERT INTO note SELECT pg_current_xact_id()::text`);
  };

  test('are rolled back with it, also those that were still running when one of them failed', async () => {
    const work = database.transaction('toys', async (session) => {
      const veto = session.manager.query('SELECT 1').then(() => Promise.reject(new Error('veto')));
      await Promise.all([writeUntilRefused(session), veto]);
    });

    await expect(work).rejects.toThrow('veto');
    expect(await dataSource.query('SELECT FROM note')).toHaveLength(0);
  });

  test('are refused after its COMMIT', async () => {
    let notAwaited: Promise<never> | undefined;
    await database.transaction('toys', async (session) => {
      notAwaited = writeUntilRefused(session);
      notAwaited.catch(() => undefined);
      await session.manager.query('SELECT 1');
    });

    await expect(notAwaited).rejects.toThrow(TransactionEnded);
    expect(await dataSource.query('SELECT DISTINCT text FROM note')).toHaveLength(1);
  });

  test('leave no transaction open when TypeORM runs concurrent nested transactions in it', async () => {
    const note = (text: string) => (manager: EntityManager) => manager.query('INSERT INTO note VALUES ($1)', [text]);
    const nested = database.transaction('toys', async ({ manager }) => {
      const fails = manager.transaction((inner) => inner.query('SELECT 1 / 0'));
      await Promise.all([fails, manager.transaction(note('beside')), manager.transaction(note('and beside'))]);
    });

    await expect(nested).rejects.toThrow('division by zero');
    const states = `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`;
    expect(await dataSource.query(states)).toEqual([]);
    expect(await dataSource.query(`SELECT FROM note WHERE text LIKE '%beside'`)).toEqual([]);
    await Promise.all([1, 2, 3, 4].map(() => database.transaction('toys', ({ manager }) => note('after')(manager))));
    expect(await dataSource.query(`SELECT FROM note WHERE text = 'after'`)).toHaveLength(4);
  });
});
