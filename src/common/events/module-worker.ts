import { WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { asError } from '../logging/describe-error.js';
import { type DeliveryRef, deliveryId } from './delivery.js';
import type { DeliveryJob } from './delivery-jobs.js';
import type { DeliveryRunner } from './delivery-runner.js';
import type { Dispatcher } from './dispatcher.js';
import { saySparingly } from './queue-trouble.js';
import type { WatchedWorker } from './watched-worker.js';

/** The worker of a module, which can be replaced when it hangs: jobs on one side, the runner of deliveries on the other. */
export abstract class ModuleWorker extends WorkerHost<WatchedWorker> {
  private readonly logger = new Logger(ModuleWorker.name);
  private readonly inTurn: LimitFunction;
  private replacement: WatchedWorker | undefined;
  private isClosing = false;

  /** @param concurrency so many deliveries at a time, whichever jobs they came with */
  constructor(
    private readonly runner: DeliveryRunner,
    private readonly dispatcher: Dispatcher,
    concurrency: number,
  ) {
    super();
    this.inTurn = pLimit({ concurrency, rejectOnClear: true });
  }

  override get worker(): WatchedWorker {
    return this.replacement ?? super.worker;
  }

  start(): void {
    const { worker } = this;
    void worker.run().catch((error: unknown) => this.logger.error(`Worker ${worker.name} stopped`, { err: error }));
  }

  /** Lets another one do the work. What the old one may still take and not finish is found by the relay. */
  async replace(): Promise<void> {
    if (this.isClosing) return;
    const old = this.worker;
    this.replacement = old.successor();
    this.start();
    await old.leave(true);
  }

  /** Takes no more jobs, and resolves when those that it has are over. What has not begun goes back to the queue at once. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.inTurn.clearQueue();
    await this.worker.close();
  }

  async process({ data }: DeliveryJob): Promise<void> {
    await Promise.all(data.map((ref) => this.take(ref)));
  }

  private async take(ref: DeliveryRef): Promise<void> {
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      return this.run(ref);
    };
    // Rejects where what waits for its turn is given up, and for no other reason.
    if (!this.isClosing) await this.inTurn(begin).catch(() => undefined);
    if (!hasBegun) this.dispatcher.dispatch([ref]);
  }

  private async run(ref: DeliveryRef): Promise<void> {
    try {
      await this.runner.run(ref);
    } catch (error) {
      // What a handler throws is booked, so this is about the claim or the booking itself.
      const what = 'A delivery could not be claimed or booked; the relay will try again';
      saySparingly(asError(error), what, { delivery: deliveryId(ref) });
    }
  }
}
