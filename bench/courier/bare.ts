import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresBackend, type Job, Queue, runMigrations, setDefaultBackendFactory, Worker } from 'bullmq';
import { Client } from 'pg';
import { readConfig } from '../../src/config.js';
import { ownProcessorMs } from '../support/processor-time.js';
import { serve, settings } from '../support/serve.js';
import { type CourierSettings, newIds, type QueueUnderTest } from './courier-settings.js';
import { Latencies, paced } from './latencies.js';

const NAME = 'bare';
const JOBS_PER_CALL = 1_000;
/** As the backbone adds its jobs. */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true };
/** The same concurrency as one of our modules. */
const { concurrency } = readConfig({ NODE_ENV: 'test' }).queue;

const { databaseUrl, redisUrl, prefix } = settings() as CourierSettings;
if (!redisUrl) await createTables();
setDefaultBackendFactory(redisUrl ? undefined : createPostgresBackend);
const connection = redisUrl ? { url: redisUrl, maxRetriesPerRequest: null } : { connectionString: databaseUrl, max: 3 };
const queue = new Queue(NAME, { connection, prefix, defaultJobOptions: JOB_OPTIONS });

/** Bare BullMQ: one job per event, and a worker that does nothing. */
serve({
  async fill(count) {
    for (let nr = 0; nr < count; nr += JOBS_PER_CALL)
      await queue.addBulk(
        newIds(Math.min(JOBS_PER_CALL, count - nr)).map((id) => ({ name: 'event', data: { eventId: id } })),
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
    // Jobs that are still running at the end are not counted. If the queue is empty earlier, the rate is that until the
    // last job.
    const outcome = { perSecond: (done * 1_000) / (lastAt - start), done, msEach: (ownProcessorMs() - before) / done };
    await worker.close();
    return outcome;
  },

  async latencies(pace) {
    const latencies = new Latencies();
    const work = async ({ data }: Job<{ eventId: string }>) => latencies.end(data.eventId);
    const worker = new Worker(NAME, work, { connection, prefix, concurrency });
    await worker.waitUntilReady();
    await paced(pace, async () => {
      const [eventId = ''] = newIds(1);
      latencies.begin(eventId);
      await queue.add('event', { eventId });
    });
    const all = await latencies.whenWarm();
    await worker.close();
    return all;
  },
} satisfies QueueUnderTest);

async function createTables(): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await runMigrations(client);
  await client.end();
}
