import { WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { WatchedWorker } from './watched-worker.js';

/** The worker of a module, which can be replaced when it hangs. */
export abstract class ModuleWorker extends WorkerHost<WatchedWorker> {
  private readonly logger = new Logger(ModuleWorker.name);
  private replacement: WatchedWorker | undefined;

  override get worker(): WatchedWorker {
    return this.replacement ?? super.worker;
  }

  start(): void {
    const { worker } = this;
    void worker.run().catch((error: unknown) => this.logger.error(`Worker ${worker.name} stopped`, { err: error }));
  }

  /** Lets another one do the work. What the old one may still take and not finish is found by the relay. */
  async replace(): Promise<void> {
    const old = this.worker;
    this.replacement = old.successor();
    this.start();
    await old.leave(true);
  }
}
