import { Injectable, Logger } from '@nestjs/common';
import { Unhealthy } from '../http/health.js';
import { Deliveries } from './deliveries.js';
import { Dispatcher } from './dispatcher.js';
import { Subscriptions } from './subscriptions.js';

const INTERVAL_MS = 1_000;
const BATCH = 500;
/** A relay that has not finished a round for this long counts as stopped. */
const STOPPED_AFTER_MS = 30_000;

/** Dispatches again whatever a crash, a wiped queue or an unreachable queue left behind. */
@Injectable()
export class Relay {
  private readonly logger = new Logger(Relay.name);
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | undefined;
  private lastRoundAt = Date.now();
  private failing = false;

  constructor(
    private readonly deliveries: Deliveries,
    private readonly dispatcher: Dispatcher,
    private readonly subscriptions: Subscriptions,
  ) {}

  start(): void {
    this.lastRoundAt = Date.now();
    this.next(0);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const round = this.round;
    this.round = undefined;
    await round;
    clearTimeout(this.timer);
  }

  /** @throws {Unhealthy} when the loop has stopped, so that readiness says so */
  async isAlive(): Promise<void> {
    const silentMs = Date.now() - this.lastRoundAt;
    if (silentMs > STOPPED_AFTER_MS) throw new Unhealthy(`the relay has not finished a round for ${silentMs} ms`);
  }

  private next(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.round = this.run();
    }, delayMs);
  }

  private async run(): Promise<void> {
    let found = 0;
    try {
      const subscribers = this.subscriptions.all.map(({ name }) => name);
      const forgotten = await this.deliveries.forgotten(subscribers, BATCH);
      found = forgotten.length;
      this.dispatcher.dispatch(forgotten);
      await this.dispatcher.idle();
      this.lastRoundAt = Date.now();
      if (this.failing) this.logger.log('The relay works again');
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.logger.error('The relay cannot read the deliveries and goes on trying', { err: error });
      this.failing = true;
    }
    this.next(found === BATCH ? 0 : INTERVAL_MS);
  }
}
