import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Degraded } from '../http/health.js';
import { within } from '../timing/within.js';
import { DeliveryRunner } from './delivery-runner.js';
import { Dispatcher } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';
import { Relay } from './relay.js';
import { StartUpChecks } from './start-up-checks.js';
import { WORKERS, WorkerWatch } from './worker-watch.js';

/** Running handlers get this long to end by themselves when the process stops, and then a little to be cut off. */
const FINISH_MS = 3_500;
const CUT_OFF_MS = 3_250;
/** A job that was being taken when the worker was told to close has been given back by then. */
const TAKE_MS = 1_000;
/** What is still on its way to a queue is found by the relay of the next process. */
const HAND_OVER_MS = 500;

/**
 * Starts and stops the backbone in order. Nest calls the first hook when every module is ready, so no worker runs
 * before all subscribers are there; it calls the second before anything is torn down, so none loses its ground.
 */
@Injectable()
export class Backbone implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(WORKERS) private readonly workers: readonly ModuleWorker[],
    @Inject(CONFIG) private readonly config: Config,
    private readonly checks: StartUpChecks,
    private readonly relay: Relay,
    private readonly watch: WorkerWatch,
    private readonly runner: DeliveryRunner,
    private readonly dispatcher: Dispatcher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.checks.pass();
    // With queues on a Redis that is away orders are taken all the same; a PostgreSQL that is away is no place to start.
    if (!this.config.queue.redisUrl) await this.dispatcher.connect();
    if (this.workers.length === 0) return;
    for (const each of this.workers) each.start();
    this.watch.start();
    this.relay.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.relay.stop(), this.watch.stop()]);
    const cutOff = setTimeout(() => this.runner.abort(), FINISH_MS);
    // After this everything that a worker has taken has begun or gone back, or there is no connection to say so.
    await within(TAKE_MS, Promise.all(this.workers.map((each) => each.close())));
    await within(FINISH_MS + CUT_OFF_MS - TAKE_MS, this.runner.idle());
    clearTimeout(cutOff);
    await Promise.all(this.workers.map(({ worker }) => worker.leave()));
    await within(HAND_OVER_MS, this.dispatcher.idle());
  }

  /** @throws {Unhealthy} when a loop has stopped, so that readiness says so */
  async isAlive(): Promise<void> {
    if (this.workers.length === 0) return;
    await this.relay.isAlive();
    await this.watch.isAlive();
  }

  /** @throws {Degraded} when queues do not answer, or with errors: deliveries wait, and everything else goes on */
  async isConnected(): Promise<void> {
    const silent = await this.dispatcher.silentQueues();
    if (silent.length > 0) throw new Degraded(`no answer from the queues of ${silent.join(', ')}: deliveries wait`);
    const troubled = new Set([...this.dispatcher.troubledQueues(), ...this.watch.troubled()]);
    if (troubled.size > 0) throw new Degraded(`errors from the queues of ${[...troubled].join(', ')}: deliveries wait`);
  }
}
