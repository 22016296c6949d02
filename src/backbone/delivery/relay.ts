import { Injectable, Logger } from '@nestjs/common';
import { Unhealthy } from '../../common/monitoring/health-checks.js';
import { Loop } from '../../common/timing/loop.js';
import { loopRounds } from '../../common/timing/loop-metrics.js';
import type { DeliveryRef } from '../delivery.js';
import { Dispatcher } from '../queue/dispatcher.js';
import { type Subscription, Subscriptions } from '../registry/subscriptions.js';
import { Deliveries } from './deliveries.js';

const INTERVAL_MS = 1_000;
/** Deliveries of each subscriber in each round. */
const BATCH = 500;
/** Deliveries of each subscriber whose queue is busy or does not answer. */
const BATCH_WHEN_BUSY = 50;
/** A queue with so many waiting jobs is busy: the rest of a backlog waits in its rows. */
const BUSY_JOBS = 100;
/** The pause after a round that left deliveries for the next one. */
const REFILL_MS = 50;
/** The pause before a busy queue is checked again. */
const BUSY_MS = 250;
/** A relay that has not completed a round for this long counts as stopped. */
const STOPPED_AFTER_MS = 30_000;

/** Enqueues overdue deliveries again: those that a crash, a wiped queue or an unreachable queue left behind. */
@Injectable()
export class Relay {
  private readonly logger = new Logger(Relay.name);
  private readonly loop = new Loop({
    round: () => this.round(),
    failed: (error) => this.fail(error),
    pauseMs: () => this.pauseMs,
  });
  private lastRoundAt = performance.now();
  private isFailing = false;
  private pauseMs = INTERVAL_MS;
  private redispatchedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly deliveries: Deliveries,
    private readonly dispatcher: Dispatcher,
    private readonly subscriptions: Subscriptions,
  ) {}

  start(): void {
    this.completeRound();
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Health check. @throws {Unhealthy} when the loop has stopped */
  async assertAlive(): Promise<void> {
    const sinceMs = Math.round(performance.now() - this.lastRoundAt);
    if (sinceMs > STOPPED_AFTER_MS) throw new Unhealthy(`the relay has not completed a round for ${sinceMs} ms`);
  }

  private async round(): Promise<void> {
    const busy = await this.dispatcher.busyQueues(this.modules, BUSY_JOBS);
    const overdue = await this.takeOverdue(({ module }) => !busy.includes(module), BATCH);
    this.dispatcher.dispatch(overdue);
    this.pauseMs = overdue.length >= BATCH ? REFILL_MS : busy.length > 0 ? BUSY_MS : INTERVAL_MS;
    await this.redispatch(busy);
    await this.dispatcher.idle();
    this.completeRound();
    if (this.isFailing) this.logger.log('The relay works again');
    this.isFailing = false;
  }

  /** A few deliveries of busy queues too: they may block others, and only the relay would enqueue them again. */
  private async redispatch(busy: readonly string[]): Promise<void> {
    const now = performance.now();
    if (now - this.redispatchedAt < INTERVAL_MS) return;
    this.redispatchedAt = now;
    this.dispatcher.redispatch(await this.takeOverdue(({ module }) => busy.includes(module), BATCH_WHEN_BUSY));
  }

  private async takeOverdue(
    isIncluded: (subscription: Subscription) => boolean,
    limitEach: number,
  ): Promise<DeliveryRef[]> {
    const names = this.active.filter(isIncluded).map(({ name }) => name);
    return names.length > 0 ? this.deliveries.takeOverdue(names, limitEach) : [];
  }

  private get modules(): string[] {
    return [...new Set(this.active.map(({ module }) => module))];
  }

  /** Modules of other processes have a relay there. Where a module runs nowhere, its deliveries stay in their rows. */
  private get active(): Subscription[] {
    return this.subscriptions.all.filter(({ active }) => active);
  }

  private completeRound(): void {
    this.lastRoundAt = performance.now();
    loopRounds.setToCurrentTime({ loop: 'relay' });
  }

  private fail(error: unknown): void {
    if (!this.isFailing) this.logger.error('The relay cannot read the deliveries and keeps trying', { err: error });
    this.isFailing = true;
  }
}
