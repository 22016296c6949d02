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

/** Has everybody compare rows with rows, and rows with events. Reads in small batches and locks nothing of theirs. */
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
   * Makes those checks of this process that nobody is at, and that nobody has made for so many minutes. Of the log they
   * look at what is new and at what was open; with 0 minutes somebody wants to know it, and they look at everything.
   * @throws {Error} when the signal says so, or somebody else has taken over
   */
  async run(minutes: number, signal: AbortSignal): Promise<void> {
    const run = uuidv7();
    const startedAt = new Date();
    const claimed = await this.reports.claim(run, minutes);
    const checks = this.checks.all.filter(({ name }) => claimed.has(name));
    if (checks.length === 0) return;
    const terms = {
      graceSeconds: this.graceSeconds,
      keepLease: this.lease(run, signal),
      breathMs: RENEW_EVERY_MS,
      signal,
    };
    try {
      const heard = new HandledEvents(this.database, this.subscriptions);
      const said = await new ReconciliationRun(checks, heard, {
        ...terms,
        checkpoints: minutes > 0 ? claimed : new Map(),
      }).make();
      await this.reports.finish(run, startedAt, said);
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
