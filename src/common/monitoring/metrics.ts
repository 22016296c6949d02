import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { runInContext } from '../context/context.js';
import { Database } from '../database/database.js';
import { poolMetrics } from '../database/pool-metrics.js';
import { logOccasionally } from '../logging/log-occasionally.js';
import {
  createRegistry,
  defineGauge,
  mergeRegistries,
  metricsRegistry,
  type Registry,
} from '../metrics/metrics-registry.js';
import { processMetrics } from '../metrics/process-metrics.js';
import { withTimeout } from '../timing/with-timeout.js';
import type { DatabaseGauges } from './database-gauges.js';

/** A scrape must end before the timeout of Prometheus, or all values are lost. */
const SCRAPE_MS = 1_500;
const STATEMENT_MS = 1_000;
const SLOW_STATEMENT_MS = 10_000;
/** How long the result of a slow read is used: several Prometheus servers may scrape this process. */
const SLOW_KEPT_MS = 5_000;
/** Not the context of a request, because requests may have to wait for a connection. */
const CONTEXT = { correlationId: 'metrics', causationId: null, actor: 'metrics' };

type SetValues = () => void;

/** The metrics of this process, and the gauges that other rooms add. */
@Injectable()
export class Metrics {
  private readonly logger = new Logger(Metrics.name);
  private readonly own = createRegistry();
  private readonly isUp = defineGauge(
    {
      name: 'orderly_database_up',
      help: 'Whether PostgreSQL answered this scrape in time. If it is 0, metrics that are read from rows are missing.',
    },
    this.own,
  );
  private readonly processRegistries: readonly Registry[];
  private readonly gauges: DatabaseGauges[] = [];
  private readonly slowReadings = new Map<DatabaseGauges, SlowReading>();
  private reading: Promise<SetValues[] | undefined> | undefined;

  constructor(private readonly database: Database) {
    this.processRegistries = [metricsRegistry, this.own, processMetrics(), poolMetrics(database)];
  }

  add(gauges: DatabaseGauges): void {
    this.gauges.push(gauges);
    if (gauges.isSlow) this.slowReadings.set(gauges, new SlowReading(() => this.read(SLOW_STATEMENT_MS, [gauges])));
  }

  /** The metrics in the text format of Prometheus. Gauges that the database does not answer in time are left out. */
  async text(): Promise<string> {
    const deadline = performance.now() + SCRAPE_MS;
    // The next scrape awaits a read that still runs instead of starting a second one.
    this.reading ??= this.read(
      STATEMENT_MS,
      this.gauges.filter(({ isSlow }) => !isSlow),
    ).finally(() => {
      this.reading = undefined;
    });
    const values = await withTimeout(SCRAPE_MS, this.reading, () => undefined);
    const slowValues = values ? await this.slowValues(deadline) : [];
    // From here on nothing is awaited, so that a concurrent scrape cannot reset values that this one shows.
    for (const each of this.gauges) each.reset();
    this.isUp.set(values ? 1 : 0);
    for (const set of [...(values ?? []), ...slowValues]) set();
    return mergeRegistries([...this.processRegistries, ...this.gauges.map(({ registry }) => registry)]).metrics();
  }

  private async slowValues(deadline: number): Promise<SetValues[]> {
    const slow = [...this.slowReadings.values()];
    const refreshed = Promise.all(slow.map((each) => each.refresh()));
    await withTimeout(Math.max(1, deadline - performance.now()), refreshed, () => undefined);
    return slow.flatMap(({ latest }) => latest);
  }

  private async read(timeoutMs: number, gauges: readonly DatabaseGauges[]): Promise<SetValues[] | undefined> {
    try {
      return await runInContext(CONTEXT, () =>
        this.database.transaction('backbone', async ({ manager }) => {
          await manager.query(`SET LOCAL statement_timeout = ${timeoutMs}`);
          return readAll(gauges, manager);
        }),
      );
    } catch (err) {
      logOccasionally(this.logger, 'warn', { message: 'The database could not be read for the metrics', err });
      return undefined;
    }
  }
}

async function readAll(gauges: readonly DatabaseGauges[], manager: EntityManager): Promise<SetValues[]> {
  const values: SetValues[] = [];
  for (const each of gauges) values.push(await each.read(manager));
  return values;
}

/** The latest result of a read that may take longer than a scrape. */
class SlowReading {
  latest: readonly SetValues[] = [];
  private readAt = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;

  constructor(private readonly read: () => Promise<readonly SetValues[] | undefined>) {}

  async refresh(): Promise<void> {
    if (performance.now() - this.readAt < SLOW_KEPT_MS) return;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async run(): Promise<void> {
    const values = await this.read();
    if (!values) return;
    this.latest = values;
    this.readAt = performance.now();
  }
}
