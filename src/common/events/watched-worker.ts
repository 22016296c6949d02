import { setTimeout as pause } from 'node:timers/promises';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { within } from '../timing/within.js';
import { isAnswer, QueueTrouble, sayErrors, saySparingly } from './queue-trouble.js';

/** BullMQ would wait for ever for the end of a connection that is not there; nothing is lost with it. */
const GOODBYE_MS = 500;
/** BullMQ would ask a queue that answers with an error again at once, thousands of times a second. */
const BREATH_MS = 500;

const BLOCK_MAX_SECONDS = 10;

/** A worker that shows that it is alive, and that can be made to end although its queue is out of reach. */
export class WatchedWorker extends Worker {
  private isGone = false;
  private handling = 0;
  private readonly startedAt = performance.now();
  private lastSignAt = this.startedAt;
  private readonly trouble = new QueueTrouble();

  constructor(name: string, work: Processor, options: WorkerOptions) {
    super(name, work, options);
    sayErrors(this);
    this.on('error', (error) => this.hear(error));
    // Deliveries that come to nothing say so themselves, and a job is about several.
    this.on('failed', (job, error) =>
      saySparingly(error, 'A job could not be read; the relay will try again', { job: job?.id }),
    );
  }

  /** For how long it has neither been at work nor heard from its queue, which a worker without work asks all the time. */
  get silentMs(): number {
    return this.handling > 0 ? 0 : Math.round(performance.now() - this.lastSignAt);
  }

  /** Whether it hears errors from its queue instead of jobs. */
  get isInTrouble(): boolean {
    return this.trouble.isThere;
  }

  get ageMs(): number {
    return performance.now() - this.startedAt;
  }

  /** BullMQ would let a worker on PostgreSQL sleep for an hour when the next job is due then. */
  override get maximumBlockTimeout(): number {
    return BLOCK_MAX_SECONDS;
  }

  /** Another one for the same work. It counts as silent for as long as this one until it has heard from its queue. */
  successor(): WatchedWorker {
    const next = new WatchedWorker(this.name, this.processFn, this.opts);
    next.lastSignAt = this.lastSignAt;
    return next;
  }

  protected override async moveToActive(...parameters: Parameters<Worker['moveToActive']>): Promise<Job> {
    try {
      const job = await super.moveToActive(...parameters);
      this.lastSignAt = performance.now();
      this.trouble.end();
      return job;
    } catch (error) {
      await pause(BREATH_MS);
      throw error;
    }
  }

  protected override async callProcessJob(...parameters: Parameters<Worker['callProcessJob']>): Promise<void> {
    this.handling += 1;
    try {
      await super.callProcessJob(...parameters);
    } finally {
      this.handling -= 1;
      this.lastSignAt = performance.now();
    }
  }

  override async close(force?: boolean): Promise<void> {
    if (!this.isGone) await super.close(force);
  }

  /** Ends the connections of a worker whose jobs have ended; by force, when it hangs, without a word to its queue. */
  async leave(force = false): Promise<void> {
    await within(GOODBYE_MS, this.close(force));
    this.isGone = true;
    await within(0, Promise.all([this.backend.close(true), this.disconnect()]));
  }

  /** A worker that asks and is refused does not hang, and another one would hear the same. */
  private hear(error: Error): void {
    if (!isAnswer(error)) return;
    this.lastSignAt = performance.now();
    this.trouble.begin();
  }
}
