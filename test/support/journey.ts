import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { JourneyDatabase } from './database.js';
import { MailServer } from './mail-server.js';
import { Program } from './program.js';
import { hasOwnRedis, hasRedis, type JourneyRedis, startRedis } from './redis.js';
import { until } from './until.js';

/** After this a journey has failed. Jest waits a little longer, so that there is time to clear the stage. */
const TOO_LONG_MS = 240_000;
jest.setTimeout(TOO_LONG_MS + 15_000);

type Play = (stage: Stage) => Promise<void>;
type Queue = 'PostgreSQL' | 'Redis';

/** Most that is shown of what a program said before a test failed. */
const OUTPUT_SHOWN = 8_000;

/** The backends that queues can have here. */
export const QUEUES: readonly Queue[] = hasRedis ? ['PostgreSQL', 'Redis'] : ['PostgreSQL'];

/** Declares tests that are skipped where there is no Redis. */
export const describeOnRedis = hasRedis ? describe : describe.skip;
export const describeOnOwnRedis = hasOwnRedis ? describe : describe.skip;

/**
 * The body of a test: sets the stage, plays, and leaves nothing behind. What the programs said is shown if it fails.
 */
export async function journey(play: Play, queue: Queue = 'PostgreSQL'): Promise<void> {
  const stage = new Stage(queue);
  try {
    await Promise.race([play(stage), tooLong()]);
  } catch (error) {
    stage.showOutput();
    throw error;
  } finally {
    await stage.clear();
  }
}

async function tooLong(): Promise<never> {
  await pause(TOO_LONG_MS, undefined, { ref: false });
  throw new Error(`The journey was not over after ${TOO_LONG_MS} ms`);
}

/**
 * Where a journey takes place: a database, perhaps a Redis and a mail server, and the programs that it starts on them.
 */
export class Stage {
  private readonly programs: Program[] = [];
  private readonly undos: (() => unknown)[] = [];
  private parts: Promise<Parts> | undefined;

  constructor(private readonly queue: Queue = 'PostgreSQL') {}

  /** Starts a shop and waits until it is open. */
  async shop(settings: Readonly<Record<string, string>> = {}, main?: string): Promise<Program> {
    return (await this.launch(settings, main)).open();
  }

  /** Starts a shop that may not come to open. */
  async launch(settings: Readonly<Record<string, string>> = {}, main?: string): Promise<Program> {
    const { database, redis, folder } = await this.set();
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

  /** Remembers what to undo when the journey is over: the last thing first. */
  atEnd(undo: () => unknown): void {
    this.undos.push(undo);
  }

  /** Begins with a copy of another stage's database instead of an empty one. Nobody may be using that one. */
  async beginLike(other: Stage): Promise<void> {
    this.parts = this.make(await other.database());
    await this.parts;
  }

  async database(): Promise<JourneyDatabase> {
    return (await this.set()).database;
  }

  async redis(): Promise<JourneyRedis> {
    const { redis } = await this.set();
    if (!redis) throw new Error('The queues of this journey are on PostgreSQL');
    return redis;
  }

  /** The number of the embedded PostgreSQL's process in this stage's folder; undefined where none was started. */
  async embeddedPid(): Promise<number | undefined> {
    const { folder } = await this.set();
    const text = await readFile(join(folder, '.orderly/pg/postmaster.pid'), 'utf8').catch(() => '');
    return Number.parseInt(text, 10) || undefined;
  }

  /** Looks at rows, as somebody who may see all of them. */
  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await this.database()).query<Row>(statement, parameters);
  }

  /** Waits until every event has been heard by all who have to hear it. */
  async quiet(): Promise<void> {
    const isQuiet = async () => {
      const waiting = await this.sql(`SELECT FROM backbone.delivery WHERE state = 'pending' LIMIT 1`);
      return waiting.length === 0;
    };
    await until('no delivery is pending', isQuiet);
  }

  /** Ends the leases that killed processes have left behind; in production they are waited for. */
  async endLeases(): Promise<void> {
    await this.sql(`
      UPDATE backbone.delivery SET lease_until = clock_timestamp(), due_at = clock_timestamp()
       WHERE state = 'pending' AND lease_until IS NOT NULL`);
  }

  /**
   * Makes the relay take up now what waits for its time: a pause after a failure, or until a lost job is missed. With
   * another number of claims a job that may still lie in a queue is passed over.
   */
  async endPauses(): Promise<void> {
    await this.sql(`
      UPDATE backbone.delivery SET claims = claims + 1, due_at = clock_timestamp()
       WHERE state = 'pending' AND lease_until IS NULL`);
  }

  showOutput(): void {
    for (const { pid, output } of this.programs)
      process.stderr.write(`\n--- what process ${pid} said ---\n${output.slice(-OUTPUT_SHOWN)}\n`);
  }

  async clear(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill('SIGKILL')));
    for (const undo of this.undos.toReversed()) await undo();
  }

  /** A killed program leaves its PostgreSQL running. */
  private async stopEmbedded(): Promise<void> {
    const pid = await this.embeddedPid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGINT');
    await until('PostgreSQL has stopped', async () => (await this.embeddedPid()) === undefined);
  }

  private set(): Promise<Parts> {
    this.parts ??= this.make();
    return this.parts;
  }

  private async make(original?: JourneyDatabase): Promise<Parts> {
    const folder = await mkdtemp(join(tmpdir(), 'orderly-journey-'));
    // An embedded PostgreSQL that root starts runs as nobody, who has to get in.
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
