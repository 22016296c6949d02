import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Degraded } from '../../common/monitoring/health-checks.js';
import { waitAtMost } from '../../common/timing/with-timeout.js';
import { BACKBONE_SETTINGS, type BackboneSettings } from '../backbone.settings.js';
import { DeliveryRunner } from '../delivery/delivery-runner.js';
import { Relay } from '../delivery/relay.js';
import { Dispatcher } from '../queue/dispatcher.js';
import type { ModuleWorker } from '../queue/module-worker.js';
import { WORKERS, WorkerSupervisor } from '../queue/worker-supervisor.js';
import { StartUpChecks } from './start-up-checks.js';

/** When the process stops, running handlers have this long to end by themselves … */
const FINISH_MS = 3_500;
/** … and this long after they are aborted. */
const ABORT_MS = 3_250;
/** A job that was being fetched when the worker closed has been returned to the queue by then. */
const FETCH_MS = 1_000;
/** The relay of the next process finds what could not be enqueued in this time. */
const ENQUEUE_MS = 500;

/**
 * Starts and stops the backbone in sequence. Nest calls the first hook when all modules are ready, so no worker runs
 * before all subscribers exist. It calls the second before it destroys any provider that a handler may use.
 */
@Injectable()
export class BackboneLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(WORKERS) private readonly workers: readonly ModuleWorker[],
    @Inject(BACKBONE_SETTINGS) private readonly settings: BackboneSettings,
    private readonly checks: StartUpChecks,
    private readonly relay: Relay,
    private readonly supervisor: WorkerSupervisor,
    private readonly runner: DeliveryRunner,
    private readonly dispatcher: Dispatcher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.checks.run();
    // The program also starts while Redis is away; without PostgreSQL it cannot start.
    if (!this.settings.queue.redisUrl) await this.dispatcher.connect();
    if (this.workers.length === 0) return;
    for (const each of this.workers) each.start();
    this.supervisor.start();
    this.relay.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.relay.stop(), this.supervisor.stop()]);
    const abort = setTimeout(() => this.runner.abort(), FINISH_MS);
    // Afterwards every fetched delivery has started or was enqueued again, or the queue is out of reach.
    await waitAtMost(FETCH_MS, Promise.all(this.workers.map((each) => each.close())));
    await waitAtMost(FINISH_MS + ABORT_MS - FETCH_MS, this.runner.idle());
    clearTimeout(abort);
    await Promise.all(this.workers.map(({ worker }) => worker.leave()));
    await waitAtMost(ENQUEUE_MS, this.dispatcher.idle());
  }

  /** Health check. @throws {Unhealthy} when a loop or a worker has stopped */
  async assertAlive(): Promise<void> {
    if (this.workers.length === 0) return;
    await this.relay.assertAlive();
    await this.supervisor.assertAlive();
  }

  /** Health check. @throws {Degraded} when queues do not answer, or answer with errors: only deliveries wait */
  async assertConnected(): Promise<void> {
    const unanswering = await this.dispatcher.unansweringQueues();
    if (unanswering.length > 0)
      throw new Degraded(`no answer from the queues of ${unanswering.join(', ')}: deliveries wait`);
    const failing = new Set([...this.dispatcher.failingQueues(), ...this.supervisor.failing()]);
    if (failing.size > 0) throw new Degraded(`errors from the queues of ${[...failing].join(', ')}: deliveries wait`);
  }
}
