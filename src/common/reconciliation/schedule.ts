import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { inContext } from '../events/context.js';
import { isError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import { loopRounds } from '../metrics/measures.js';
import { Reconciler } from './reconciler.js';
import { Reports } from './reports.js';

/** Whether something is due is asked that much more often than it is, so that it is not late when a process has died. */
const LOOKS_PER_PERIOD = 10;
/** An outage lasts for many looks. */
const SAY_EVERY_MS = 3_600_000;
/** A batch takes milliseconds; one that hangs does not hold up a process that stops. */
const GOODBYE_MS = 2_000;
/** No request of a client's: those may have to wait for a connection until others are served. */
const CONTEXT = { correlationId: 'reconciliation', causationId: null, actor: 'reconciliation' };

/** Reconciles from time to time, and when somebody asks for it. All processes take part, and each check is made by one. */
@Injectable()
export class ReconciliationSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Reconciliation');
  private readonly everyMinutes: number;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private due: Promise<void> | undefined;

  constructor(
    private readonly reconciler: Reconciler,
    private readonly reports: Reports,
    @Inject(CONFIG) { reconciliation }: Config,
  ) {
    this.everyMinutes = reconciliation.everyMinutes;
  }

  onApplicationBootstrap(): void {
    if (this.everyMinutes > 0) this.next();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The process stops'));
    clearTimeout(this.timer);
    // How it ends is told to whoever asked for it.
    const ended = this.running?.catch(() => undefined);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  }

  /** Makes all checks of this process now, or goes on with those that somebody has asked for already. */
  async now(): Promise<void> {
    // One that was due looks at less. How it ends is told in the log.
    await this.due?.catch(() => undefined);
    await this.run(0);
  }

  private next(): void {
    if (this.stopping.signal.aborted) return;
    const pauseMs = ((this.everyMinutes * 60_000) / LOOKS_PER_PERIOD) * (0.5 + Math.random());
    this.timer = setTimeout(() => void this.look(), pauseMs);
  }

  private async look(): Promise<void> {
    try {
      this.due = this.run(this.everyMinutes).finally(() => {
        this.due = undefined;
      });
      await this.due;
      loopRounds.setToCurrentTime({ loop: 'reconciliation' });
    } catch (error) {
      if (!this.stopping.signal.aborted) this.say(error);
    }
    this.next();
  }

  private async run(minutes: number): Promise<void> {
    this.running ??= inContext(CONTEXT, () => this.runAndTell(minutes)).finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async runAndTell(minutes: number): Promise<void> {
    await this.reconciler.run(minutes, this.stopping.signal);
    const findings = (await this.reports.last()).map((report) => [report.check, report.findings.length] as const);
    const found = Object.fromEntries(findings.filter(([, count]) => count > 0));
    if (Object.keys(found).length > 0)
      logSparingly(`reconciliation ${JSON.stringify(found)}`, SAY_EVERY_MS, () =>
        this.logger.warn('Things do not agree; see /v1/operations/reconciliation', found),
      );
  }

  private say(error: unknown): void {
    const cause = isError(error) ? error.message : String(error);
    logSparingly(`reconciliation ${cause}`, SAY_EVERY_MS, (suppressed) =>
      this.logger.warn('The reconciliation could not be made; the next one will', { err: error, suppressed }),
    );
  }
}
