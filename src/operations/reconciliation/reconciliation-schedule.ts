import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { runInContext } from '../../common/context/context.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import { Loop } from '../../common/timing/loop.js';
import { loopRounds } from '../../common/timing/loop-metrics.js';
import { waitAtMost } from '../../common/timing/with-timeout.js';
import { OPERATIONS_SETTINGS, type OperationsSettings } from '../operations.settings.js';
import { Reconciler } from './reconciler.js';
import { Reports } from './reports.js';

/** How many times in a period each process tests whether a run is due, so that it is not late when a process has died. */
const TESTS_PER_PERIOD = 10;
/** A batch takes milliseconds; one that hangs does not hold up a process that stops. */
const STOP_MS = 2_000;
/** Not the context of a request: requests may have to wait for a connection. */
const CONTEXT = { correlationId: 'reconciliation', causationId: null, actor: 'reconciliation' };

/** Reconciles from time to time, and on demand. All processes take part; each check is run by one of them. */
@Injectable()
export class ReconciliationSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Reconciliation');
  private readonly everyMinutes: number;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private due: Promise<void> | undefined;
  private readonly loop = new Loop({
    round: () => this.runDueChecks(),
    failed: (error) => this.logFailure(error),
    pauseMs: () => this.nextPauseMs(),
    stopMs: STOP_MS,
  });

  constructor(
    private readonly reconciler: Reconciler,
    private readonly reports: Reports,
    @Inject(OPERATIONS_SETTINGS) { reconciliation }: OperationsSettings,
  ) {
    this.everyMinutes = reconciliation.everyMinutes;
  }

  onApplicationBootstrap(): void {
    if (this.everyMinutes > 0) this.loop.start(this.nextPauseMs());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The process stops'));
    await Promise.all([this.loop.stop(), waitAtMost(STOP_MS, this.running)]);
  }

  /** Runs all checks of this process now, or joins the run that another caller has started. */
  async now(): Promise<void> {
    // A scheduled run reads less. Its error is in the log.
    await this.due?.catch(() => undefined);
    await this.run(0);
  }

  private async runDueChecks(): Promise<void> {
    this.due = this.run(this.everyMinutes).finally(() => {
      this.due = undefined;
    });
    await this.due;
    loopRounds.setToCurrentTime({ loop: 'reconciliation' });
  }

  private async run(minutes: number): Promise<void> {
    this.running ??= runInContext(CONTEXT, () => this.runAndLog(minutes)).finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async runAndLog(minutes: number): Promise<void> {
    if (!(await this.reconciler.run(minutes, this.stopping.signal))) return;
    const counts = (await this.reports.last()).map((report) => [report.check, report.findings.length] as const);
    const found = Object.fromEntries(counts.filter(([, count]) => count > 0));
    if (Object.keys(found).length === 0) return;
    const message = 'Reconciliation found mismatches; see /v1/operations/reconciliation';
    logOccasionally(this.logger, 'warn', { message, findings: found });
  }

  private logFailure(err: unknown): void {
    if (this.stopping.signal.aborted) return;
    logOccasionally(this.logger, 'warn', { message: 'The reconciliation failed; the next run will try again', err });
  }

  /** Processes that start together do not stay in step. */
  private nextPauseMs(): number {
    return ((this.everyMinutes * 60_000) / TESTS_PER_PERIOD) * (0.5 + Math.random());
  }
}
