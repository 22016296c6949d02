import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Database } from '../common/database/database.js';
import { DomainError } from '../common/errors/domain-error.js';
import { logOccasionally } from '../common/logging/log-occasionally.js';
import { Degraded } from '../common/monitoring/health-checks.js';
import { Loop } from '../common/timing/loop.js';
import { BACKBONE_SETTINGS, type BackboneSettings } from './backbone.settings.js';
import { backlogExceeds } from './delivery/backlog.js';

const REFRESH_EVERY_MS = 5_000;
/** Counting a long backlog costs time; the pause after it is at least so many times as long. */
const PAUSE_FACTOR = 20;
/** Work is accepted again below this part of the limit, so that the state does not flicker. */
const RESUME_AT = 0.8;

class BacklogTooLarge extends DomainError {
  readonly kind = 'unavailable';
  readonly code = 'backlog-too-large';
  override readonly retryAfterSeconds = 30;

  constructor(max: number) {
    super(
      `More than ${max} deliveries are pending already, so no work that adds deliveries is accepted: try again later`,
    );
  }
}

/** Refuses new work while too many deliveries are pending. Counts them from time to time, not for each request. */
@Injectable()
export class BackPressure implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(BackPressure.name);
  private readonly max: number;
  private isExceeded = false;
  private readonly loop = new Loop({
    round: () => this.refresh(),
    failed: (err) => {
      const message = 'The backlog could not be counted; the last count stays in force';
      logOccasionally(this.logger, 'warn', { message, err });
    },
    pauseMs: (tookMs) => Math.max(REFRESH_EVERY_MS, PAUSE_FACTOR * tookMs),
  });

  constructor(
    private readonly database: Database,
    @Inject(BACKBONE_SETTINGS) { backlogMax }: BackboneSettings,
  ) {
    this.max = backlogMax;
  }

  onApplicationBootstrap(): void {
    if (this.max > 0) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @throws {BacklogTooLarge} while too many deliveries are pending */
  assertAccepting(): void {
    if (this.isExceeded) throw new BacklogTooLarge(this.max);
  }

  /** Health check. @throws {Degraded} while new work is refused */
  async assertHealthy(): Promise<void> {
    if (this.isExceeded) throw new Degraded(`more than ${this.max} deliveries are pending: new work is refused`);
  }

  /** Counts again, and changes the state where necessary. */
  async refresh(): Promise<void> {
    const limit = this.isExceeded ? Math.floor(this.max * RESUME_AT) : this.max;
    const wasExceeded = this.isExceeded;
    this.isExceeded = await this.database.read('backbone', (manager) => backlogExceeds(limit, manager));
    if (this.isExceeded && !wasExceeded)
      this.logger.error('Too many deliveries are pending: new work is refused', { max: this.max });
    if (wasExceeded && !this.isExceeded) this.logger.log('New work is accepted again');
  }
}
