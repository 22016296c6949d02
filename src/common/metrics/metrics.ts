import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Registry } from 'prom-client';
import { Database } from '../database/database.js';
import { inContext } from '../events/context.js';
import { Subscriptions } from '../events/subscriptions.js';
import { logSparingly } from '../logging/rate-limit.js';
import { readBacklog, readFindings } from './backlog.js';
import { measures } from './measures.js';
import { processGauges } from './process-gauges.js';
import { type Stored, StoredGauges } from './stored-gauges.js';

/** Whoever scrapes gives up after some seconds, and then has nothing at all. */
const PATIENCE_MS = 1_500;
const STATEMENT_MS = 1_000;
const SAY_EVERY_MS = 3_600_000;
/** No request of a client's: those may have to wait for a connection until others are served. */
const CONTEXT = { correlationId: 'metrics', causationId: null, actor: 'metrics' };

/** Everything that Prometheus is told. */
@Injectable()
export class Metrics {
  private readonly logger = new Logger(Metrics.name);
  private readonly stored: StoredGauges;
  private readonly all: Registry;
  private looking: Promise<Stored | undefined> | undefined;

  constructor(
    private readonly database: Database,
    subscriptions: Subscriptions,
  ) {
    this.stored = new StoredGauges(subscriptions);
    this.all = Registry.merge([measures, this.stored.registry, processGauges(database)]);
  }

  /** In the text format. What the database does not tell in time is left out. */
  async text(): Promise<string> {
    // A look that hangs is waited for by the next scrape as well, rather than joined by another one.
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    this.stored.set(await Promise.race([this.looking, pause(PATIENCE_MS, undefined, { ref: false })]));
    return this.all.metrics();
  }

  private async look(): Promise<Stored | undefined> {
    try {
      return await inContext(CONTEXT, () =>
        this.database.transaction('backbone', async ({ manager }) => {
          await manager.query(`SET LOCAL statement_timeout = ${STATEMENT_MS}`);
          return { backlogs: await readBacklog(manager), findings: await readFindings(manager) };
        }),
      );
    } catch (error) {
      logSparingly('metrics', SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('The backlog could not be read for the metrics', { err: error, suppressed }),
      );
      return undefined;
    }
  }
}
