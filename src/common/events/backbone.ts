import type { WorkerHost } from '@nestjs/bullmq';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Unhealthy } from '../http/health.js';
import { DeliveryRunner } from './delivery-runner.js';
import { Dispatcher } from './dispatcher.js';
import { type WatchedWorker, within } from './queue-connections.js';
import { Relay } from './relay.js';
import { StartUpChecks } from './start-up-checks.js';

/** Running handlers get this long to end by themselves when the process stops, and then a little to be cut off. */
const FINISH_MS = 4_000;
const CUT_OFF_MS = 3_500;
/** A job that was being taken when the worker was told to close has begun by then. */
const TAKE_MS = 1_000;

/** Injects the workers of the modules in this process. */
export const WORKERS = Symbol('workers');

/**
 * Starts and stops the backbone in order. Nest calls the first hook when every module is ready, so no worker runs
 * before all subscribers are there; it calls the second before anything is torn down, so none loses its ground.
 */
@Injectable()
export class Backbone implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Backbone.name);

  constructor(
    @Inject(WORKERS) private readonly workers: readonly WorkerHost<WatchedWorker>[],
    private readonly checks: StartUpChecks,
    private readonly relay: Relay,
    private readonly runner: DeliveryRunner,
    private readonly dispatcher: Dispatcher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.checks.pass();
    if (this.workers.length === 0) return;
    for (const { worker } of this.workers) {
      void worker.run().catch((error: unknown) => this.logger.error(`Worker ${worker.name} stopped`, { err: error }));
    }
    this.relay.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.relay.stop();
    const workers = this.workers.map(({ worker }) => worker);
    const cutOff = setTimeout(() => this.runner.abort(), FINISH_MS);
    // After this everything that a worker has taken has begun, or the worker has no connection to say that it is done.
    await within(TAKE_MS, Promise.all(workers.map((worker) => worker.close())));
    await within(FINISH_MS + CUT_OFF_MS, this.runner.idle());
    clearTimeout(cutOff);
    await Promise.all(workers.map((worker) => worker.leave()));
    await this.dispatcher.idle();
  }

  /** @throws {Unhealthy} when a loop has stopped, so that readiness says so */
  async isAlive(): Promise<void> {
    if (this.workers.length === 0) return;
    await this.relay.isAlive();
    const stopped = this.workers.filter(({ worker }) => !worker.isRunning()).map(({ worker }) => worker.name);
    if (stopped.length > 0) throw new Unhealthy(`the workers of ${stopped.join(', ')} have stopped`);
  }
}
