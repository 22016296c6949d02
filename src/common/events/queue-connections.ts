import { Logger } from '@nestjs/common';
import { type Job, type Processor, Queue, type QueueOptions, Worker, type WorkerOptions } from 'bullmq';
import { codeOf } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import { within } from '../timing/within.js';

/** An outage makes BullMQ say the same thing many times a second. */
const SAY_EVERY_MS = 30_000;
/** A queue that is alive answers in milliseconds. */
const ANSWER_MS = 3_000;
/** Less than a health check may take. */
const PROBE_MS = 1_500;
/** BullMQ would wait for ever for the end of a connection that is not there; nothing is lost with it. */
const GOODBYE_MS = 500;

const BLOCK_MAX_SECONDS = 10;

const logger = new Logger('Queues');

interface Emitter {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A queue that says when it is out of reach. BullMQ keeps whoever adds a job waiting, without a bound. */
export class WatchedQueue extends Queue {
  private isSilent = false;

  constructor(name: string, options: QueueOptions) {
    super(name, options);
    sayErrors(this);
  }

  /** @throws {Error} when there is no answer in time, and at once while an earlier one is missing */
  async addInTime(jobs: Parameters<Queue['addBulk']>[0]): Promise<void> {
    if (this.isSilent) throw new Error(`The queue ${this.name} does not answer`);
    const adding = this.addBulk(jobs).finally(() => {
      this.isSilent = false;
    });
    await inTime(adding, ANSWER_MS, () => {
      this.isSilent = true;
      return this.silence();
    });
  }

  /** Whether it answers at all, whatever it has to say. */
  async answers(): Promise<boolean> {
    try {
      await inTime(this.isPaused(), PROBE_MS, () => this.silence());
      return true;
    } catch (error) {
      logger.debug('A queue does not answer', { err: error, queue: this.name });
      return false;
    }
  }

  override async close(): Promise<void> {
    await within(GOODBYE_MS, super.close());
    await within(0, this.disconnect());
  }

  private silence(): Error {
    return new Error(`The queue ${this.name} has not answered in time`);
  }
}

/** A worker that shows that it is alive, and that can be made to end although its queue is out of reach. */
export class WatchedWorker extends Worker {
  private isGone = false;
  private handling = 0;
  private readonly startedAt = Date.now();
  private lastSignAt = this.startedAt;

  constructor(name: string, work: Processor, options: WorkerOptions) {
    super(name, work, options);
    sayErrors(this);
    // What a handler throws is booked, so this is about the claim or the booking itself.
    this.on('failed', (job, error) =>
      saySparingly(error, 'A delivery could not be claimed or booked; the relay will try again', { delivery: job?.id }),
    );
  }

  /** For how long it has neither been at work nor heard from its queue, which a worker without work asks all the time. */
  get silentMs(): number {
    return this.handling > 0 ? 0 : Date.now() - this.lastSignAt;
  }

  get ageMs(): number {
    return Date.now() - this.startedAt;
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
    const job = await super.moveToActive(...parameters);
    this.lastSignAt = Date.now();
    return job;
  }

  protected override async callProcessJob(...parameters: Parameters<Worker['callProcessJob']>): Promise<void> {
    this.handling += 1;
    try {
      await super.callProcessJob(...parameters);
    } finally {
      this.handling -= 1;
      this.lastSignAt = Date.now();
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
}

async function inTime(answer: Promise<unknown>, ms: number, tooLate: () => Error): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), ms);
  });
  await Promise.race([answer, silence]).finally(() => clearTimeout(timer));
}

/** BullMQ reports what goes wrong with a connection or a job only through 'error' events, from the first moment on. */
function sayErrors(emitter: Emitter): void {
  emitter.on('error', (error) => saySparingly(error, 'A queue is in trouble', { queue: emitter.name }));
}

/** By the error's code, because messages name jobs and addresses. */
function saySparingly(error: Error, what: string, fields: object): void {
  logSparingly(`${what} ${codeOf(error) ?? error.message}`, SAY_EVERY_MS, (suppressed) =>
    logger.warn(what, { err: error, ...fields, suppressed }),
  );
}
