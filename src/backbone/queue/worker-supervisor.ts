import { Inject, Injectable, Logger } from '@nestjs/common';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import { Unhealthy } from '../../common/monitoring/health-checks.js';
import { Loop } from '../../common/timing/loop.js';
import { Dispatcher } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';

/** Injects the workers of the modules in this process. */
export const WORKERS = Symbol('workers');

const CHECK_EVERY_MS = 5_000;
/** BullMQ itself pauses for 15 seconds after some errors. */
const HANGING_AFTER_MS = 30_000;

/** Replaces workers that hang: they have had no answer from a queue that answers others. */
@Injectable()
export class WorkerSupervisor {
  private readonly logger = new Logger(WorkerSupervisor.name);
  private readonly loop = new Loop({
    round: () => this.replaceHanging(),
    failed: (err) => {
      const message = 'A worker could not be replaced; the next round will try again';
      logOccasionally(this.logger, 'error', { message, err });
    },
    pauseMs: () => CHECK_EVERY_MS,
  });
  private checkedAt = performance.now();

  constructor(
    @Inject(WORKERS) private readonly workers: readonly ModuleWorker[],
    private readonly dispatcher: Dispatcher,
  ) {}

  start(): void {
    this.checkedAt = performance.now();
    this.loop.start(CHECK_EVERY_MS);
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  async replaceHanging(): Promise<void> {
    // After the process was suspended, its workers get one round to become active again.
    const wasSuspended = performance.now() - this.checkedAt > 2 * CHECK_EVERY_MS;
    this.checkedAt = performance.now();
    if (wasSuspended) return;
    const hanging = (await this.hanging()).filter(({ worker }) => worker.ageMs > HANGING_AFTER_MS);
    for (const each of hanging) {
      const { name, inactiveMs } = each.worker;
      this.logger.warn(`The worker of ${name} hangs and is replaced`, { inactiveMs });
      await each.replace();
    }
  }

  /** Health check. @throws {Unhealthy} when a worker has stopped or hangs, until it or its replacement is active */
  async assertAlive(): Promise<void> {
    const stopped = this.workers.filter(({ worker }) => !worker.isRunning()).map(({ worker }) => worker.name);
    if (stopped.length > 0) throw new Unhealthy(`the workers of ${stopped.join(', ')} have stopped`);
    const hanging = (await this.hanging()).map(({ worker }) => `${worker.name} for ${worker.inactiveMs} ms`);
    if (hanging.length > 0) throw new Unhealthy(`workers are inactive: ${hanging.join(', ')}`);
  }

  /** The modules whose workers get errors from their queues. */
  failing(): string[] {
    return this.workers.filter(({ worker }) => worker.isFailing).map(({ worker }) => worker.name);
  }

  /** While the queue does not answer anyone, a replacement would not help. */
  private async hanging(): Promise<ModuleWorker[]> {
    const inactive = this.workers.filter(({ worker }) => worker.inactiveMs > HANGING_AFTER_MS);
    if (inactive.length === 0) return [];
    const unanswering = await this.dispatcher.unansweringQueues();
    return inactive.filter(({ worker }) => !unanswering.includes(worker.name));
  }
}
