import { Inject, Injectable, Logger } from '@nestjs/common';
import { Unhealthy } from '../http/health.js';
import { logSparingly } from '../logging/rate-limit.js';
import { Loop } from '../timing/loop.js';
import { Dispatcher } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';

/** Injects the workers of the modules in this process. */
export const WORKERS = Symbol('workers');

const LOOK_EVERY_MS = 5_000;
/** BullMQ itself pauses for 15 seconds after some errors. */
const STUCK_AFTER_MS = 30_000;
const SAY_EVERY_MS = 30_000;

/** Has its eye on the workers: one that hears nothing from a queue that answers others hangs, and is replaced. */
@Injectable()
export class WorkerWatch {
  private readonly logger = new Logger(WorkerWatch.name);
  private readonly loop = new Loop({
    round: () => this.look(),
    failed: (err) =>
      logSparingly('worker watch', SAY_EVERY_MS, (suppressed) =>
        this.logger.error('A worker could not be replaced; the next look will try again', { err, suppressed }),
      ),
    pauseMs: () => LOOK_EVERY_MS,
  });
  private lookedAt = performance.now();

  constructor(
    @Inject(WORKERS) private readonly workers: readonly ModuleWorker[],
    private readonly dispatcher: Dispatcher,
  ) {}

  start(): void {
    this.lookedAt = performance.now();
    this.loop.start(LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Replaces the workers that hang. */
  async look(): Promise<void> {
    // A process that was asleep gives its workers a moment to wake up.
    const hasSlept = performance.now() - this.lookedAt > 2 * LOOK_EVERY_MS;
    this.lookedAt = performance.now();
    if (hasSlept) return;
    const hanging = (await this.hanging()).filter(({ worker }) => worker.ageMs > STUCK_AFTER_MS);
    for (const each of hanging) {
      const { name, silentMs } = each.worker;
      this.logger.warn(`The worker of ${name} hangs, and another one takes over`, { silentMs });
      await each.replace();
    }
  }

  /** @throws {Unhealthy} when a worker has stopped or hangs, until it or its successor is at work again */
  async isAlive(): Promise<void> {
    const stopped = this.workers.filter(({ worker }) => !worker.isRunning()).map(({ worker }) => worker.name);
    if (stopped.length > 0) throw new Unhealthy(`the workers of ${stopped.join(', ')} have stopped`);
    const hanging = (await this.hanging()).map(({ worker }) => `${worker.name} for ${worker.silentMs} ms`);
    if (hanging.length > 0) throw new Unhealthy(`no sign of life from the workers of ${hanging.join(', ')}`);
  }

  /** The modules whose workers are refused by their queues. */
  troubled(): string[] {
    return this.workers.filter(({ worker }) => worker.isInTrouble).map(({ worker }) => worker.name);
  }

  /** Without an answer from the queue nobody can tell, and nobody could do better. */
  private async hanging(): Promise<ModuleWorker[]> {
    const silent = this.workers.filter(({ worker }) => worker.silentMs > STUCK_AFTER_MS);
    if (silent.length === 0) return [];
    const unanswered = await this.dispatcher.silentQueues();
    return silent.filter(({ worker }) => !unanswered.includes(worker.name));
  }
}
