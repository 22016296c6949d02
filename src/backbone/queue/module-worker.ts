import { WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { asError } from '../../common/logging/describe-error.js';
import { type DeliveryRef, deliveryId } from '../delivery.js';
import type { DeliveryJob, Dispatcher } from './dispatcher.js';
import type { MonitoredWorker } from './monitored-worker.js';
import { warnOccasionally } from './queue-errors.js';

/** Runs the deliveries of jobs. Provided by delivery/delivery-runner.ts. */
export abstract class JobHandler {
  /** Resolves when the outcome is stored, or at once when the delivery is not due. */
  abstract run(ref: DeliveryRef): Promise<void>;
}

/** The worker of a module: fetches jobs, and runs their deliveries. It can be replaced when it hangs. */
export abstract class ModuleWorker extends WorkerHost<MonitoredWorker> {
  private readonly logger = new Logger(ModuleWorker.name);
  private readonly limited: LimitFunction;
  private replacement: MonitoredWorker | undefined;
  private isClosing = false;

  /** @param concurrency the largest number of deliveries that run at the same time, over all jobs */
  constructor(
    private readonly handler: JobHandler,
    private readonly dispatcher: Dispatcher,
    concurrency: number,
  ) {
    super();
    this.limited = pLimit({ concurrency, rejectOnClear: true });
  }

  override get worker(): MonitoredWorker {
    return this.replacement ?? super.worker;
  }

  start(): void {
    const { worker } = this;
    void worker.run().catch((error: unknown) => this.logger.error(`Worker ${worker.name} stopped`, { err: error }));
  }

  /** Replaces a worker that hangs. The relay finds the deliveries that the old one may still fetch and not finish. */
  async replace(): Promise<void> {
    if (this.isClosing) return;
    const old = this.worker;
    this.replacement = old.successor();
    this.start();
    await old.leave(true);
  }

  /** Fetches no more jobs, enqueues waiting deliveries again, and resolves when the running deliveries have ended. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.limited.clearQueue();
    await this.worker.close();
  }

  async process({ data }: DeliveryJob): Promise<void> {
    await Promise.all(data.map((ref) => this.runInTurn(ref)));
  }

  private async runInTurn(ref: DeliveryRef): Promise<void> {
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      return this.run(ref);
    };
    // Rejects only when `close` clears the queue of the limiter.
    if (!this.isClosing) await this.limited(begin).catch(() => undefined);
    if (!hasBegun) this.dispatcher.dispatch([ref]);
  }

  private async run(ref: DeliveryRef): Promise<void> {
    try {
      await this.handler.run(ref);
    } catch (error) {
      // The handler's own errors are stored, so this is an error of the claim or of storing the outcome.
      const message = 'A delivery could not be claimed, or its outcome not be stored; the relay will try again';
      warnOccasionally(asError(error), message, { delivery: deliveryId(ref) });
    }
  }
}
