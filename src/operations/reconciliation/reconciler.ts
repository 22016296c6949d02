import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { OPERATIONS_SETTINGS, type OperationsSettings } from '../operations.settings.js';
import { CheckRegistry } from './check-registry.js';
import { HandledEvents } from './handled-events.js';
import { ReconciliationRun } from './reconciliation-run.js';
import { Reports } from './reports.js';

const RENEW_EVERY_MS = 15_000;

/** Runs the checks of this process. They read in small batches and take no locks on the rows of modules. */
@Injectable()
export class Reconciler {
  private readonly graceSeconds: number;

  constructor(
    private readonly checks: CheckRegistry,
    private readonly reports: Reports,
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    @Inject(OPERATIONS_SETTINGS) { reconciliation }: OperationsSettings,
  ) {
    this.graceSeconds = reconciliation.graceSeconds;
  }

  /**
   * Runs those checks of this process that no other process is running, and that were not completed within so many
   * minutes. They read the events of the log since their checkpoint and those that were open then. With 0 minutes, as
   * an operator requests it, they read the whole log.
   * @returns whether checks were run
   * @throws {Error} when the signal is aborted, or another process has taken over
   */
  async run(minutes: number, signal: AbortSignal): Promise<boolean> {
    const run = uuidv7();
    const startedAt = new Date();
    const claimed = await this.reports.claim(run, minutes);
    const checks = this.checks.all.filter(({ name }) => claimed.has(name));
    if (checks.length === 0) return false;
    const options = {
      graceSeconds: this.graceSeconds,
      keepLease: this.lease(run, signal),
      keepLeaseEveryMs: RENEW_EVERY_MS,
      signal,
    };
    try {
      const handledEvents = new HandledEvents(this.database, this.subscriptions);
      const results = await new ReconciliationRun(checks, handledEvents, {
        ...options,
        checkpoints: minutes > 0 ? claimed : new Map(),
      }).run();
      await this.reports.finish(run, startedAt, results);
      return true;
    } finally {
      await this.reports.release(run);
    }
  }

  private lease(run: string, signal: AbortSignal): () => Promise<void> {
    let renewedAt = performance.now();
    return async () => {
      signal.throwIfAborted();
      if (performance.now() - renewedAt < RENEW_EVERY_MS) return;
      if (!(await this.reports.renew(run))) throw new Error('Another process has taken over the reconciliation');
      renewedAt = performance.now();
    };
  }
}
