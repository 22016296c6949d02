import type { WorkerHost } from '@nestjs/bullmq';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DeliveryRunner } from './delivery-runner.js';
import { Dispatcher } from './dispatcher.js';
import { QueueErrors } from './queue-errors.js';
import { Relay } from './relay.js';
import { StartUpChecks } from './start-up-checks.js';

/** Running handlers get this long to end by themselves when the process stops, and then a little to be cut off. */
const FINISH_MS = 4_000;
const CUT_OFF_MS = 3_500;

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
    @Inject(WORKERS) private readonly workers: readonly WorkerHost[],
    private readonly checks: StartUpChecks,
    private readonly relay: Relay,
    private readonly runner: DeliveryRunner,
    private readonly dispatcher: Dispatcher,
    private readonly queueErrors: QueueErrors,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.checks.pass();
    if (this.workers.length === 0) return;
    for (const { worker } of this.workers) {
      this.queueErrors.watch(worker);
      void worker.run().catch((error: unknown) => this.logger.error(`Worker ${worker.name} stopped`, { err: error }));
    }
    this.relay.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.relay.stop();
    const cutOff = setTimeout(() => this.runner.abort(), FINISH_MS);
    await Promise.all(this.workers.map(({ worker }) => closeWithin(worker, FINISH_MS + CUT_OFF_MS)));
    clearTimeout(cutOff);
    await this.dispatcher.idle();
  }

  /** @throws {Error} when a loop has stopped, so that readiness says so */
  async isAlive(): Promise<void> {
    if (this.workers.length === 0) return;
    await this.relay.isAlive();
    const stopped = this.workers.filter(({ worker }) => !worker.isRunning()).map(({ worker }) => worker.name);
    if (stopped.length > 0) throw new Error(`the workers of ${stopped.join(', ')} have stopped`);
  }
}

/** Waits for running jobs; what is still running after that is left to its lease. */
async function closeWithin(worker: WorkerHost['worker'], ms: number): Promise<void> {
  const force = setTimeout(() => void worker.close(true).catch(() => undefined), ms);
  await worker.close();
  clearTimeout(force);
}
