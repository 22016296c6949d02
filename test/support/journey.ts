import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { JourneyDatabase } from './database.js';
import { MailServer } from './mail-server.js';
import { Program } from './program.js';
import { hasOwnRedis, hasRedis, type JourneyRedis, startRedis } from './redis.js';
import { until } from './until.js';

/** A longer journey fails. The timeout of Jest is longer, so that there is time for the clean-up. */
const JOURNEY_MAX_MS = 240_000;
jest.setTimeout(JOURNEY_MAX_MS + 15_000);

type JourneyTest = (stage: Stage) => Promise<void>;
type Queue = 'PostgreSQL' | 'Redis';

/** Characters of the output of a program that are shown when a test fails. */
const OUTPUT_SHOWN = 8_000;

/** The backends of queues that are available here. */
export const QUEUES: readonly Queue[] = hasRedis ? ['PostgreSQL', 'Redis'] : ['PostgreSQL'];

/** Declares tests that are skipped without a Redis. */
export const describeOnRedis = hasRedis ? describe : describe.skip;
export const describeOnOwnRedis = hasOwnRedis ? describe : describe.skip;

/**
 * Runs a test on a new stage and cleans up. If it fails, the output of the programs is shown.
 */
export async function journey(test: JourneyTest, queue: Queue = 'PostgreSQL'): Promise<void> {
  const stage = new Stage(queue);
  try {
    await Promise.race([test(stage), timeout()]);
  } catch (error) {
    stage.showOutput();
    throw error;
  } finally {
    await stage.clear();
  }
}

async function timeout(): Promise<never> {
  await pause(JOURNEY_MAX_MS, undefined, { ref: false });
  throw new Error(`The journey did not end within ${JOURNEY_MAX_MS} ms`);
}

/**
 * The environment of a journey: a database, optionally a Redis and a mail server, and the programs that it starts.
 */
export class Stage {
  private readonly programs: Program[] = [];
  private readonly undos: (() => unknown)[] = [];
  private parts: Promise<Parts> | undefined;

  constructor(private readonly queue: Queue = 'PostgreSQL') {}

  /** Starts a shop and waits until it serves requests. */
  async shop(settings: Readonly<Record<string, string>> = {}, main?: string): Promise<Program> {
    return (await this.launch(settings, main)).open();
  }

  /** Starts a shop without waiting, because the start may fail. */
  async launch(settings: Readonly<Record<string, string>> = {}, main?: string): Promise<Program> {
    const { database, redis, folder } = await this.prepare();
    const environment = {
      DATABASE_URL: database.url,
      DATABASE_POOL_SIZE: '8',
      DEMO_CATALOGUE: 'off',
      MODULE_ROLES: 'enforced',
      ...redis?.settings,
      ...settings,
    };
    const program = Program.launch(environment, folder, main);
    this.programs.push(program);
    return program;
  }

  async mailServer(): Promise<MailServer> {
    const server = await new MailServer().listen();
    this.atEnd(() => server.stop());
    return server;
  }

  /** Registers a clean-up step for the end of the journey. The last one runs first. */
  atEnd(undo: () => unknown): void {
    this.undos.push(undo);
  }

  /** Uses a copy of another stage's database, which must have no connections. */
  async beginLike(other: Stage): Promise<void> {
    this.parts = this.make(await other.database());
    await this.parts;
  }

  async database(): Promise<JourneyDatabase> {
    return (await this.prepare()).database;
  }

  async redis(): Promise<JourneyRedis> {
    const { redis } = await this.prepare();
    if (!redis) throw new Error('The queues of this journey are on PostgreSQL');
    return redis;
  }

  /** Process id of the embedded PostgreSQL in this stage's folder; undefined when none runs. */
  async embeddedPid(): Promise<number | undefined> {
    const { folder } = await this.prepare();
    const text = await readFile(join(folder, '.orderly/pg/postmaster.pid'), 'utf8').catch(() => '');
    return Number.parseInt(text, 10) || undefined;
  }

  /** Reads rows of all schemas. */
  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await this.database()).query<Row>(statement, parameters);
  }

  /** Waits until no delivery is pending. */
  async quiet(): Promise<void> {
    const isQuiet = async () => {
      const pending = await this.sql(`SELECT FROM backbone.delivery WHERE state = 'pending' LIMIT 1`);
      return pending.length === 0;
    };
    await until('no delivery is pending', isQuiet);
  }

  /** Expires the leases of killed processes at once, to save time. */
  async endLeases(): Promise<void> {
    await this.sql(`
      UPDATE backbone.delivery SET lease_until = clock_timestamp(), due_at = clock_timestamp()
       WHERE state = 'pending' AND lease_until IS NOT NULL`);
  }

  /**
   * Makes deliveries due now that wait for the pause after a failure, or until the relay detects a lost job. The higher
   * number of claims invalidates jobs that may still be in a queue.
   */
  async endPauses(): Promise<void> {
    await this.sql(`
      UPDATE backbone.delivery SET claims = claims + 1, due_at = clock_timestamp()
       WHERE state = 'pending' AND lease_until IS NULL`);
  }

  showOutput(): void {
    for (const { pid, output } of this.programs)
      process.stderr.write(`\n--- output of process ${pid} ---\n${output.slice(-OUTPUT_SHOWN)}\n`);
  }

  async clear(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill('SIGKILL')));
    for (const undo of this.undos.toReversed()) await undo();
  }

  /** A killed program does not stop its embedded PostgreSQL. */
  private async stopEmbedded(): Promise<void> {
    const pid = await this.embeddedPid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGINT');
    await until('PostgreSQL has stopped', async () => (await this.embeddedPid()) === undefined);
  }

  private prepare(): Promise<Parts> {
    this.parts ??= this.make();
    return this.parts;
  }

  private async make(original?: JourneyDatabase): Promise<Parts> {
    const folder = await mkdtemp(join(tmpdir(), 'orderly-journey-'));
    // If we are root, PostgreSQL runs as the user nobody, who needs access to the folder.
    await chmod(folder, 0o755);
    this.atEnd(() => rm(folder, { recursive: true, force: true }));
    this.atEnd(() => this.stopEmbedded());
    const database = await JourneyDatabase.create(original);
    this.atEnd(() => database.drop());
    const redis = this.queue === 'Redis' ? await startRedis() : undefined;
    if (redis) this.atEnd(() => redis.stop());
    return { folder, database, redis };
  }
}

interface Parts {
  readonly folder: string;
  readonly database: JourneyDatabase;
  readonly redis: JourneyRedis | undefined;
}
