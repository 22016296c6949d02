import { Global, Module } from '@nestjs/common';
import { Database } from '../database/database.js';
import { databaseProblemOf } from '../database/database-problems.js';
import { HealthController } from './health.controller.js';
import { HealthChecks, Unhealthy } from './health-checks.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

const healthChecks = {
  provide: HealthChecks,
  useFactory: (database: Database): HealthChecks => {
    const checks = new HealthChecks();
    checks.add('database', () => assertAnswering(database));
    return checks;
  },
  inject: [Database],
};

/** @throws {Unhealthy} with the detail that clients get; the log has the cause */
async function assertAnswering(database: Database): Promise<void> {
  try {
    await database.query('SELECT 1');
  } catch (cause) {
    const problem = databaseProblemOf(cause);
    throw problem ? new Unhealthy(problem.detail, { cause }) : cause;
  }
}

/** Health and metrics of this process. Other rooms add their checks and gauges. */
@Global()
@Module({
  controllers: [HealthController, MetricsController],
  providers: [healthChecks, Metrics],
  exports: [HealthChecks, Metrics],
})
export class MonitoringModule {}
