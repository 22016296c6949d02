import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { lockDataFolder } from './data-folder-lock.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';

const settings = { fsync: 'off' };

describe('the embedded PostgreSQL', () => {
  let dataFolder: string;
  let running: EmbeddedPostgres | undefined;
  let owner: ChildProcess | undefined;

  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orderly embedded '));
    await chmod(folder, 0o755);
    dataFolder = join(folder, 'data');
  });

  afterEach(async () => {
    owner?.kill('SIGKILL');
    await running?.stop();
    running = undefined;
    await rm(join(dataFolder, '..'), { recursive: true, force: true });
  });

  const start = async () => {
    running = await startEmbeddedPostgres({ dataFolder, settings });
    return running;
  };
  /** Starts it in another process on the same folder. */
  const startElsewhere = async () => {
    const script = join(dataFolder, '..', 'owner.mjs');
    const built = join(process.cwd(), 'dist/common/embedded-postgres/embedded-postgres.js');
    const options = JSON.stringify({ dataFolder, settings });
    await writeFile(
      script,
      `import { startEmbeddedPostgres } from ${JSON.stringify(built)};
       const { url } = await startEmbeddedPostgres(${options});
       process.send(url);
       setInterval(() => undefined, 1000);`,
    );
    owner = fork(script);
    const [url] = await once(owner, 'message');
    return { owner, url: String(url) };
  };

  test('keeps its data between starts', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept (n int)');
    await first.stop();

    const second = await start();

    expect(await query(second.url, 'SELECT * FROM kept')).toEqual([]);
    expect(second.version).toMatch(/^18\./);
  });

  if (process.getuid?.() === 0)
    test('takes its files back after they were given to root', async () => {
      const first = await start();
      await query(first.url, 'CREATE TABLE kept (n int)');
      await first.stop();
      execFileSync('chown', ['-R', 'root:root', dataFolder]);

      const second = await start();

      expect(await query(second.url, 'SELECT * FROM kept')).toEqual([]);
    });

  test('refuses connections without the password', async () => {
    const url = new URL((await start()).url);
    url.password = 'guessed';

    await expect(query(url.toString(), 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  test('does not start on data that another process uses, and names that process', async () => {
    const { owner } = await startElsewhere();

    await expect(start()).rejects.toThrow(`Another program (process ${owner.pid})`);
  });

  test('stops the server that a killed process left running, and starts on the same data', async () => {
    const { owner, url } = await startElsewhere();
    await query(url, 'CREATE TABLE kept (n int)');
    owner.kill('SIGKILL');
    await once(owner, 'exit');

    const next = await start();

    expect(await query(next.url, 'SELECT * FROM kept')).toEqual([]);
    await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('does not stop a process that only reuses the pid of an earlier server', async () => {
    await (await start()).stop();
    await writeFile(join(dataFolder, 'pg/postmaster.pid'), `${process.pid}\n${dataFolder}/pg\n`);

    await expect(start()).resolves.toHaveProperty('dataFolder', dataFolder);
  });

  test('repeats an interrupted initialisation', async () => {
    await mkdir(join(dataFolder, 'pg.new'), { recursive: true });
    await writeFile(join(dataFolder, 'pg.new', 'PG_VERSION'), '18');

    await expect(start()).resolves.toHaveProperty('dataFolder', dataFolder);
  });

  test('reports that it ended', async () => {
    const { exited } = await start();
    const [pid] = (await readFile(join(dataFolder, 'pg/postmaster.pid'), 'utf8')).split('\n');

    process.kill(Number(pid), 'SIGINT');

    expect(await exited).toContain('The embedded PostgreSQL ended');
  });

  test('can be stopped twice', async () => {
    const postgres = await start();

    await postgres.stop();
    await expect(postgres.stop()).resolves.toBeUndefined();
  });

  test('takes over the lock of a process that has ended', async () => {
    await mkdir(dataFolder, { recursive: true });
    await writeFile(join(dataFolder, 'lock'), JSON.stringify({ pid: process.pid, since: 'an earlier boot' }));

    const release = await lockDataFolder(dataFolder);

    await expect(lockDataFolder(dataFolder)).rejects.toBeInstanceOf(EmbeddedPostgresFailed);
    await release();
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
