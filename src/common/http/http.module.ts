import { Global, Module } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Backbone } from '../events/backbone.js';
import { KeyRetention } from '../idempotency/key-retention.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { Metrics } from '../metrics/metrics.js';
import { HealthController } from './health.controller.js';
import { HealthChecks } from './health.js';

const healthChecks = {
  provide: HealthChecks,
  useFactory: (database: Database, backbone: Backbone): HealthChecks => {
    const checks = new HealthChecks();
    checks.add('database', async () => void (await database.query('SELECT 1')));
    checks.add('deliveries', () => backbone.isAlive());
    checks.add('queues', () => backbone.isConnected());
    return checks;
  },
  inject: [Database, Backbone],
};

/** Whether this process is well, and what it keeps, for whoever sends it requests. */
@Global()
@Module({
  controllers: [HealthController, MetricsController],
  providers: [healthChecks, KeyRetention, Metrics],
  exports: [HealthChecks],
})
export class HttpModule {}
