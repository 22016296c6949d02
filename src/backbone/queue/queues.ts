import { BullModule, Processor } from '@nestjs/bullmq';
import type { DynamicModule, Type } from '@nestjs/common';
import { createPostgresBackend, runMigrations, setDefaultBackendFactory } from 'bullmq';
import { Client } from 'pg';
import type { BackboneSettings } from '../backbone.settings.js';
import { Dispatcher } from './dispatcher.js';
import { JobHandler, ModuleWorker } from './module-worker.js';
import { MonitoredQueue } from './monitored-queue.js';
import { MonitoredWorker } from './monitored-worker.js';

/** Held by each queue and each worker when BullMQ runs on PostgreSQL. */
const POSTGRES_CONNECTIONS = 3;
/** Longer than a worker waits for a job. BullMQ itself would wait without limit on a connection whose peer is gone. */
const NO_ANSWER_MS = 15_000;

interface QueueSettings extends Pick<BackboneSettings, 'queue'> {
  readonly databaseUrl: string;
}

/** A Redis that is back is found within two seconds; BullMQ's own strategy may wait for twenty. */
const retryStrategy = (times: number): number => Math.min(times * 100, 2_000);

const redisAt = (url: string) => ({ url, retryStrategy, socketTimeout: NO_ANSWER_MS });

const postgresAt = (connectionString: string) => ({
  connectionString,
  max: POSTGRES_CONNECTIONS,
  connectionTimeoutMillis: NO_ANSWER_MS,
  query_timeout: NO_ANSWER_MS,
});

/** BullMQ's queues, one per module, on Redis or on PostgreSQL. */
export function queuesOf(modules: readonly string[], { queue, databaseUrl }: QueueSettings): DynamicModule[] {
  setDefaultBackendFactory(queue.redisUrl ? undefined : createPostgresBackend);
  BullModule.queueClass = MonitoredQueue;
  BullModule.workerClass = MonitoredWorker;
  const connection = queue.redisUrl
    ? // A producer that waits for a lost Redis would add jobs long after their caller gave up.
      { ...redisAt(queue.redisUrl), enableOfflineQueue: false, maxRetriesPerRequest: 1 }
    : postgresAt(databaseUrl);
  return [
    BullModule.forRoot({ connection, prefix: queue.prefix }),
    BullModule.registerQueue(...modules.map((name) => ({ name, defaultJobOptions: JOB_OPTIONS }))),
  ];
}

/** A finished job must free its id, else its delivery could not be dispatched again. The backbone does the retries. */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/** A stalled job only means that its deliveries may be claimed again; attempts are counted in the delivery's row. */
const STALLS_MAX = 1_000_000;

/** The worker of a module. The lifecycle of the backbone starts it. */
export function workerOf(module: string, { queue, databaseUrl }: QueueSettings): Type<ModuleWorker> {
  const { concurrency } = queue;
  const connection = queue.redisUrl
    ? { ...redisAt(queue.redisUrl), maxRetriesPerRequest: null }
    : postgresAt(databaseUrl);
  @Processor(module, {
    connection,
    autorun: false,
    concurrency,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: STALLS_MAX,
  })
  class DeliveryWorker extends ModuleWorker {
    constructor(handler: JobHandler, dispatcher: Dispatcher) {
      super(handler, dispatcher, concurrency);
    }
  }
  return DeliveryWorker;
}

/** Creates or updates BullMQ's own tables, where it runs on PostgreSQL. */
export async function migrateQueues(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}
