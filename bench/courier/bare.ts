import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresBackend, type Job, Queue, runMigrations, setDefaultBackendFactory, Worker } from 'bullmq';
import { Client } from 'pg';
import { readConfig } from '../../src/config.js';
import { ownProcessorMs } from '../support/processor-time.js';
import { serve, settings } from '../support/serve.js';
import { type Carrier, type CourierSettings, newIds } from './courier-settings.js';
import { Latencies, paced } from './latencies.js';

const NAME = 'bare';
const ADDED_AT_ONCE = 1_000;
/** As the backbone adds its jobs. */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true };
/** As many at a time as a module of ours handles. */
const { concurrency } = readConfig({ NODE_ENV: 'test' }).queue;

const { databaseUrl, redisUrl, prefix } = settings() as CourierSettings;
if (!redisUrl) await createTables();
setDefaultBackendFactory(redisUrl ? undefined : createPostgresBackend);
const connection = redisUrl ? { url: redisUrl, maxRetriesPerRequest: null } : { connectionString: databaseUrl, max: 3 };
const queue = new Queue(NAME, { connection, prefix, defaultJobOptions: JOB_OPTIONS });

/** What BullMQ does by itself: a job for each event, and a worker with nothing to do. */
serve({
  async fill(count) {
    for (let nr = 0; nr < count; nr += ADDED_AT_ONCE)
      await queue.addBulk(
        newIds(Math.min(ADDED_AT_ONCE, count - nr)).map((id) => ({ name: 'told', data: { eventId: id } })),
      );
  },

  async drain(seconds) {
    let done = 0;
    let lastAt = 0;
    const worker = new Worker(NAME, async () => undefined, { connection, prefix, concurrency });
    await new Promise<void>((resolve) => worker.once('completed', () => resolve()));
    worker.on('completed', () => {
      done += 1;
      lastAt = performance.now();
    });
    const start = performance.now();
    const before = ownProcessorMs();
    await pause(seconds * 1_000);
    // Whatever is still running when the time is over is not counted, and a queue that is empty before has no rate.
    const outcome = { perSecond: (done * 1_000) / (lastAt - start), done, msEach: (ownProcessorMs() - before) / done };
    await worker.close();
    return outcome;
  },

  async latencies(pace) {
    const latencies = new Latencies();
    const work = async ({ data }: Job<{ eventId: string }>) => latencies.starts(data.eventId);
    const worker = new Worker(NAME, work, { connection, prefix, concurrency });
    await worker.waitUntilReady();
    await paced(pace, async () => {
      const [eventId = ''] = newIds(1);
      latencies.begins(eventId);
      await queue.add('told', { eventId });
    });
    const all = await latencies.whenWarm();
    await worker.close();
    return all;
  },
} satisfies Carrier);

async function createTables(): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await runMigrations(client);
  await client.end();
}
