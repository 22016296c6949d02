import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { inContext } from '../events/context.js';
import { Subscriptions } from '../events/subscriptions.js';
import { logSparingly } from '../logging/rate-limit.js';
import { readBacklog, readFindings, readPaused } from './backlog.js';
import { measures } from './measures.js';
import { processGauges } from './process-gauges.js';
import { type Counts, type State, StoredGauges } from './stored-gauges.js';

/** Whoever scrapes gives up after some seconds, and then has nothing at all. */
const PATIENCE_MS = 1_500;
const STATEMENT_MS = 1_000;
/** Counting a long backlog may outlast a scrape, and then is for the next one. */
const COUNT_MS = 10_000;
/** Every process is scraped, by more than one Prometheus perhaps. */
const COUNTS_KEPT_MS = 5_000;
const SAY_EVERY_MS = 3_600_000;
/** No request of a client's: those may have to wait for a connection until others are served. */
const CONTEXT = { correlationId: 'metrics', causationId: null, actor: 'metrics' };

/** Everything that Prometheus is told. */
@Injectable()
export class Metrics {
  private readonly logger = new Logger(Metrics.name);
  private readonly stored: StoredGauges;
  private readonly all: Registry;
  private readonly subscribers: readonly string[];
  private looking: Promise<State | undefined> | undefined;
  private counting: Promise<void> | undefined;
  private counts: Counts | undefined;
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly database: Database,
    subscriptions: Subscriptions,
  ) {
    this.subscribers = subscriptions.all.map(({ name }) => name);
    this.stored = new StoredGauges(subscriptions);
    this.all = Registry.merge([measures, this.stored.registry, processGauges(database)]);
  }

  /** In the text format. What the database does not tell in time is left out; what waits is as it was counted last. */
  async text(): Promise<string> {
    const inTime = pause(PATIENCE_MS, undefined, { ref: false });
    // A look that hangs is waited for by the next scrape as well, rather than joined by another one.
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    const state = await Promise.race([this.looking, inTime]);
    if (state) await Promise.race([this.counted(), inTime]);
    this.stored.set(state, this.counts);
    return this.all.metrics();
  }

  private async counted(): Promise<void> {
    if (performance.now() - this.countedAt < COUNTS_KEPT_MS) return;
    this.counting ??= this.count().finally(() => {
      this.counting = undefined;
    });
    await this.counting;
  }

  private look(): Promise<State | undefined> {
    return this.read(STATEMENT_MS, async (manager) => {
      return { paused: await readPaused(manager), findings: await readFindings(manager) };
    });
  }

  private async count(): Promise<void> {
    const backlogs = await this.read(COUNT_MS, (manager) => readBacklog(this.subscribers, manager));
    if (!backlogs) return;
    this.counts = { backlogs, at: new Date() };
    this.countedAt = performance.now();
  }

  private async read<Told>(
    timeoutMs: number,
    work: (manager: EntityManager) => Promise<Told>,
  ): Promise<Told | undefined> {
    try {
      return await inContext(CONTEXT, () =>
        this.database.transaction('backbone', async ({ manager }) => {
          await manager.query(`SET LOCAL statement_timeout = ${timeoutMs}`);
          return work(manager);
        }),
      );
    } catch (error) {
      logSparingly('metrics', SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('The database could not be read for the metrics', { err: error, suppressed }),
      );
      return undefined;
    }
  }
}
