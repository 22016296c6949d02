import { Global, Module } from '@nestjs/common';
import { BacklogWatch } from '../back-pressure/backlog-watch.js';
import { Database } from '../database/database.js';
import { databaseProblemOf } from '../database/database-problems.js';
import { Backbone } from '../events/backbone.js';
import { KeyRetention } from '../idempotency/key-retention.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { Metrics } from '../metrics/metrics.js';
import { HealthController } from './health.controller.js';
import { HealthChecks, Unhealthy } from './health.js';

const healthChecks = {
  provide: HealthChecks,
  useFactory: (database: Database, backbone: Backbone, backlog: BacklogWatch): HealthChecks => {
    const checks = new HealthChecks();
    checks.add('database', () => isWell(database));
    checks.add('deliveries', () => backbone.isAlive());
    checks.add('queues', () => backbone.isConnected());
    checks.add('backlog', () => backlog.isWithin());
    return checks;
  },
  inject: [Database, Backbone, BacklogWatch],
};

/** @throws {Unhealthy} with what callers are told of a database that cannot do its work; the log has the cause */
async function isWell(database: Database): Promise<void> {
  try {
    await database.query('SELECT 1');
  } catch (cause) {
    const problem = databaseProblemOf(cause);
    throw problem ? new Unhealthy(problem.detail, { cause }) : cause;
  }
}

/** Whether this process is well, and what it keeps, for whoever sends it requests. */
@Global()
@Module({
  controllers: [HealthController, MetricsController],
  providers: [healthChecks, BacklogWatch, KeyRetention, Metrics],
  exports: [HealthChecks, BacklogWatch],
})
export class HttpModule {}
