import 'reflect-metadata';
import { getQueueToken } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { BackboneModule } from '../../src/backbone/backbone.module.js';
import { databaseSchemaOf } from '../../src/backbone/program.js';
import { UnitOfWork } from '../../src/backbone/publishing/unit-of-work.js';
import { Dispatcher } from '../../src/backbone/queue/dispatcher.js';
import { migrateQueues } from '../../src/backbone/queue/queues.js';
import { createDataSource } from '../../src/common/database/data-source.js';
import { Database } from '../../src/common/database/database.js';
import { createLogger } from '../../src/common/logging/logger.js';
import { readConfig } from '../../src/config.js';
import { OrderConfirmed } from '../../src/orders/orders.events.js';
import { CourierModule, CourierReactions } from './courier.module.js';
import type { CourierSettings } from './courier-settings.js';

@Module({})
class CourierApp {}

/** The backbone of this build with one side effect, on a database whose tables the program has created. */
export async function openCourier(settings: CourierSettings, workers: 'on' | 'off') {
  const { databaseUrl, redisUrl, prefix } = settings;
  const config = readConfig({
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    SMTP_URL: 'mailbox',
    DATABASE_URL: databaseUrl,
    ...(redisUrl && { REDIS_URL: redisUrl }),
    QUEUE_PREFIX: prefix,
    WORKERS: workers,
  });
  if (!redisUrl) await migrateQueues(databaseUrl);
  const modules = [CourierModule];
  const { poolSize } = config.database;
  const dataSource = await createDataSource({
    url: databaseUrl,
    poolSize,
    ...databaseSchemaOf(modules),
  }).initialize();
  const database = new Database(dataSource, config.database);
  const backbone = BackboneModule.of({ settings: config, database, databaseUrl, modules, isWhole: false });
  const root = { module: CourierApp, imports: [backbone, ...modules] };
  const app = await NestFactory.createApplicationContext(root, {
    logger: createLogger(config.log),
    abortOnError: false,
  });
  const unitOfWork = app.get(UnitOfWork);
  return {
    reactions: app.get(CourierReactions),
    /** Publishes the confirmation of these orders in one transaction. */
    confirm: (orderIds: readonly string[]) =>
      unitOfWork.run('backbone', async (tx) => {
        for (const orderId of orderIds) tx.publish(confirmation(orderId));
      }),
    enqueued: () => app.get(Dispatcher).idle(),
    loseJobs: async () => {
      await app.get<Queue>(getQueueToken('notifications'), { strict: false }).drain();
      await dataSource.query(`UPDATE backbone.delivery SET due_at = now() WHERE state = 'pending'`);
    },
    close: async () => {
      await app.close();
      await dataSource.destroy();
    },
  };
}

function confirmation(orderId: string) {
  const amount = { amount: 1_800, currency: 'USD' };
  const customer = { name: 'Maria Anders', email: 'maria.anders@example.com' };
  const lines = [{ sku: 'SKU-1000', name: 'Product SKU-1000', quantity: 1, lineTotal: amount }];
  return OrderConfirmed({ orderId, customer, lines, total: amount });
}
