import { setTimeout as pause } from 'node:timers/promises';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { waitAtMost } from '../../common/timing/with-timeout.js';
import { ErrorState, isServerReply, logErrors, warnOccasionally } from './queue-errors.js';

/** BullMQ would wait without limit for a connection to close that does not exist. No job is lost by not waiting. */
const CLOSE_MS = 500;
/** After an error BullMQ would ask the queue again at once, thousands of times a second. */
const PAUSE_AFTER_ERROR_MS = 500;

const BLOCK_MAX_SECONDS = 10;

/** A BullMQ worker that shows whether it is alive, and that can be closed although its queue is out of reach. */
export class MonitoredWorker extends Worker {
  private hasDisconnected = false;
  private handling = 0;
  private readonly startedAt = performance.now();
  private lastActiveAt = this.startedAt;
  private readonly errors = new ErrorState();

  constructor(name: string, work: Processor, options: WorkerOptions) {
    super(name, work, options);
    logErrors(this);
    this.on('error', (error) => this.noteError(error));
    // Failed deliveries are logged where they fail, and a job is about several deliveries.
    this.on('failed', (job, error) =>
      warnOccasionally(error, 'A job could not be read; the relay will try again', { job: job?.id }),
    );
  }

  /** How long it has neither handled a job nor had an answer from its queue, which an idle worker asks all the time. */
  get inactiveMs(): number {
    return this.handling > 0 ? 0 : Math.round(performance.now() - this.lastActiveAt);
  }

  /** Whether its queue answers with errors instead of jobs. */
  get isFailing(): boolean {
    return this.errors.isActive;
  }

  get ageMs(): number {
    return performance.now() - this.startedAt;
  }

  /** BullMQ would let a worker on PostgreSQL sleep for an hour when the next job is due then. */
  override get maximumBlockTimeout(): number {
    return BLOCK_MAX_SECONDS;
  }

  /** Makes a replacement. It counts as inactive since this worker was active last, until its queue has answered. */
  successor(): MonitoredWorker {
    const next = new MonitoredWorker(this.name, this.processFn, this.opts);
    next.lastActiveAt = this.lastActiveAt;
    return next;
  }

  protected override async moveToActive(...parameters: Parameters<Worker['moveToActive']>): Promise<Job> {
    try {
      const job = await super.moveToActive(...parameters);
      this.lastActiveAt = performance.now();
      this.errors.end();
      return job;
    } catch (error) {
      await pause(PAUSE_AFTER_ERROR_MS);
      throw error;
    }
  }

  protected override async callProcessJob(...parameters: Parameters<Worker['callProcessJob']>): Promise<void> {
    this.handling += 1;
    try {
      await super.callProcessJob(...parameters);
    } finally {
      this.handling -= 1;
      this.lastActiveAt = performance.now();
    }
  }

  override async close(force?: boolean): Promise<void> {
    if (!this.hasDisconnected) await super.close(force);
  }

  /**
   * Closes the connections of a worker whose jobs have ended; with `force`, of one that hangs, without waiting for it.
   */
  async leave(force = false): Promise<void> {
    await waitAtMost(CLOSE_MS, this.close(force));
    this.hasDisconnected = true;
    await waitAtMost(1, Promise.all([this.backend.close(true), this.disconnect()]));
  }

  /** A worker whose queue refuses it does not hang; a replacement would be refused too. */
  private noteError(error: Error): void {
    if (!isServerReply(error)) return;
    this.lastActiveAt = performance.now();
    this.errors.begin();
  }
}
