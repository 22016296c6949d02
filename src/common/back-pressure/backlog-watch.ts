import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../database/database.js';
import { Degraded } from '../http/health.js';
import { logSparingly } from '../logging/rate-limit.js';
import { Loop } from '../timing/loop.js';
import { BacklogTooLarge } from './back-pressure.errors.js';

const LOOK_EVERY_MS = 5_000;
/** Counting a long backlog takes time itself: so many times as long is the pause behind it at least. */
const PAUSE_FACTOR = 20;
/** Less than all of it has to be worked off before orders are taken again, and a bit, so that this does not flicker. */
const OPEN_AGAIN_AT = 0.8;
const SAY_EVERY_MS = 60_000;

/**
 * What failed and waits for its next attempt is the fault of somebody outside; what is paused, or replayed, was decided by
 * an operator: none of them says that the shop takes more than it can do. What nobody has ever taken up does.
 */
const IS_BEYOND = `
  SELECT EXISTS (
    SELECT FROM backbone.delivery
     WHERE state = 'pending' AND claims = 0
       AND subscriber <> ALL (ARRAY (SELECT subscriber FROM backbone.paused_subscriber))
    OFFSET $1) AS "isBeyond"`;

/** Knows whether more waits to be delivered than there may be, without a look at the table for each request. */
@Injectable()
export class BacklogWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(BacklogWatch.name);
  private readonly max: number;
  private isBeyond = false;
  private readonly loop = new Loop({
    round: () => this.look(),
    failed: (err) =>
      logSparingly('backlog', SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('The backlog cannot be counted and counts as before', { err, suppressed }),
      ),
    pauseMs: (tookMs) => Math.max(LOOK_EVERY_MS, PAUSE_FACTOR * tookMs),
  });

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) { backlogMax }: Config,
  ) {
    this.max = backlogMax;
  }

  onApplicationBootstrap(): void {
    if (this.max > 0) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @throws {BacklogTooLarge} when the shop is too far behind to take on more */
  assertWithin(): void {
    if (this.isBeyond) throw new BacklogTooLarge(this.max);
  }

  /** @throws {Degraded} so that readiness says so */
  async isWithin(): Promise<void> {
    if (this.isBeyond) throw new Degraded(`more than ${this.max} deliveries wait: no new orders are taken`);
  }

  async look(): Promise<void> {
    const bound = this.isBeyond ? Math.floor(this.max * OPEN_AGAIN_AT) : this.max;
    const [row] = await this.database.query<{ isBeyond: boolean }>(IS_BEYOND, [bound]);
    const wasBeyond = this.isBeyond;
    this.isBeyond = row?.isBeyond === true;
    if (this.isBeyond && !wasBeyond) this.logger.error('Too many deliveries wait: no new orders', { max: this.max });
    if (wasBeyond && !this.isBeyond) this.logger.log('New orders are taken again');
  }
}
