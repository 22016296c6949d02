import { Injectable, Logger } from '@nestjs/common';
import { Unhealthy } from '../http/health.js';
import { loopRounds } from '../metrics/measures.js';
import { Loop } from '../timing/loop.js';
import { Deliveries } from './deliveries.js';
import type { DeliveryRef } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { type Subscription, Subscriptions } from './subscriptions.js';

const INTERVAL_MS = 1_000;
/** Of each subscriber in each round. */
const BATCH = 500;
/** Of each subscriber whose queue is busy, or does not answer. */
const FEW = 50;
/** A queue in which so many jobs wait is busy: the rest of a backlog waits in its rows. */
const BUSY_JOBS = 100;
/** The pause behind a round that left something for the next one. */
const REFILL_MS = 50;
/** The pause before a queue that has no room is asked again. */
const BUSY_MS = 250;
/** A relay that has not finished a round for this long counts as stopped. */
const STOPPED_AFTER_MS = 30_000;

/** Dispatches again whatever a crash, a wiped queue or an unreachable queue left behind. */
@Injectable()
export class Relay {
  private readonly logger = new Logger(Relay.name);
  private readonly loop = new Loop({
    round: () => this.round(),
    failed: (error) => this.fail(error),
    pauseMs: () => this.pauseMs,
  });
  private lastRoundAt = performance.now();
  private failing = false;
  private pauseMs = INTERVAL_MS;
  private remindedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly deliveries: Deliveries,
    private readonly dispatcher: Dispatcher,
    private readonly subscriptions: Subscriptions,
  ) {}

  start(): void {
    this.finishRound();
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** @throws {Unhealthy} when the loop has stopped, so that readiness says so */
  async isAlive(): Promise<void> {
    const silentMs = Math.round(performance.now() - this.lastRoundAt);
    if (silentMs > STOPPED_AFTER_MS) throw new Unhealthy(`the relay has not finished a round for ${silentMs} ms`);
  }

  private async round(): Promise<void> {
    const busy = await this.dispatcher.busyQueues(this.modules, BUSY_JOBS);
    const found = await this.forgotten(({ module }) => !busy.includes(module), BATCH);
    this.dispatcher.dispatch(found);
    this.pauseMs = found.length >= BATCH ? REFILL_MS : busy.length > 0 ? BUSY_MS : INTERVAL_MS;
    await this.remind(busy);
    await this.dispatcher.idle();
    this.finishRound();
    if (this.failing) this.logger.log('The relay works again');
    this.failing = false;
  }

  /** Of some that nobody but us would ever bring back, although there is enough to do: they may hold up others. */
  private async remind(busy: readonly string[]): Promise<void> {
    const now = performance.now();
    if (now - this.remindedAt < INTERVAL_MS) return;
    this.remindedAt = now;
    this.dispatcher.remind(await this.forgotten(({ module }) => busy.includes(module), FEW));
  }

  private async forgotten(isMeant: (subscription: Subscription) => boolean, limitEach: number): Promise<DeliveryRef[]> {
    const names = this.ours.filter(isMeant).flatMap((each) => each.names);
    return names.length > 0 ? this.deliveries.forgotten(names, limitEach) : [];
  }

  private get modules(): string[] {
    return [...new Set(this.ours.map(({ module }) => module))];
  }

  /** Those of a module that is elsewhere are looked after there; of one that is nowhere, they wait in their rows. */
  private get ours(): Subscription[] {
    return this.subscriptions.all.filter(({ active }) => active);
  }

  private finishRound(): void {
    this.lastRoundAt = performance.now();
    loopRounds.setToCurrentTime({ loop: 'relay' });
  }

  private fail(error: unknown): void {
    if (!this.failing) this.logger.error('The relay cannot read the deliveries and goes on trying', { err: error });
    this.failing = true;
  }
}
