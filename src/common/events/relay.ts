import { Injectable, Logger } from '@nestjs/common';
import { Unhealthy } from '../http/health.js';
import { loopRounds } from '../metrics/measures.js';
import { Loop } from '../timing/loop.js';
import { Deliveries } from './deliveries.js';
import { Dispatcher } from './dispatcher.js';
import { Subscriptions } from './subscriptions.js';

const INTERVAL_MS = 1_000;
/** Of each subscriber in each round. More would only get in the way of the workers, who are not faster with a backlog. */
const BATCH = 500;
/** A relay that has not finished a round for this long counts as stopped. */
const STOPPED_AFTER_MS = 30_000;

/** Dispatches again whatever a crash, a wiped queue or an unreachable queue left behind. */
@Injectable()
export class Relay {
  private readonly logger = new Logger(Relay.name);
  private readonly loop = new Loop({
    round: () => this.round(),
    failed: (error) => this.fail(error),
    pauseMs: () => INTERVAL_MS,
  });
  private lastRoundAt = performance.now();
  private failing = false;

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
    // Those of a module that is elsewhere are looked after there; of one that is nowhere, they wait in their rows.
    const subscribers = this.subscriptions.all.filter(({ active }) => active).flatMap(({ names }) => names);
    this.dispatcher.dispatch(await this.deliveries.forgotten(subscribers, BATCH));
    await this.dispatcher.idle();
    this.finishRound();
    if (this.failing) this.logger.log('The relay works again');
    this.failing = false;
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
