import { Logger } from '@nestjs/common';
import { Queue, type QueueOptions } from 'bullmq';
import { waitAtMost, withTimeout } from '../../common/timing/with-timeout.js';
import { ErrorState, isServerReply, logErrors } from './queue-errors.js';

/** A healthy queue answers in milliseconds. */
const ADD_MS = 3_000;
/** Less than the time-out of a health check. */
const PROBE_MS = 1_500;
/** BullMQ would wait without limit for a connection to close that does not exist. No job is lost by not waiting. */
const CLOSE_MS = 500;

type NewJobs = Parameters<Queue['addBulk']>[0];

const logger = new Logger('Queues');

/** A BullMQ queue with time-outs. BullMQ lets a caller that adds a job wait without limit while the server is away. */
export class MonitoredQueue extends Queue {
  private isUnanswering = false;
  private readonly errors = new ErrorState();

  constructor(name: string, options: QueueOptions) {
    super(name, options);
    logErrors(this);
  }

  /** Whether it answers with errors, so that it accepts no jobs. */
  get isFailing(): boolean {
    return this.errors.isActive;
  }

  /** @throws {Error} when there is no answer in time, and at once while an earlier answer is missing */
  async addWithTimeout(jobs: NewJobs): Promise<void> {
    if (this.isUnanswering) throw new Error(`The queue ${this.name} does not answer`);
    const adding = this.addAll(jobs).finally(() => {
      this.isUnanswering = false;
    });
    await withTimeout(ADD_MS, adding, () => {
      this.isUnanswering = true;
      throw this.noAnswer();
    });
  }

  /** Whether it answers at all, even with an error. */
  async answers(): Promise<boolean> {
    return (await this.probe(this.isPaused())) !== undefined;
  }

  /** Whether at least so many jobs wait, or it does not answer. PostgreSQL would need long to count all jobs. */
  async isBusy(jobs: number): Promise<boolean> {
    const last = await this.probe(this.getRanges(['wait'], jobs - 1, jobs - 1));
    return last === undefined || last.length > 0;
  }

  override async close(): Promise<void> {
    await waitAtMost(CLOSE_MS, super.close());
    await waitAtMost(1, this.disconnect());
  }

  private async probe<Answer>(question: Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await withTimeout(PROBE_MS, question, () => {
        throw this.noAnswer();
      });
    } catch (error) {
      logger.debug('A queue does not answer', { err: error, queue: this.name });
      return undefined;
    }
  }

  private async addAll(jobs: NewJobs): Promise<void> {
    try {
      await this.addBulk(jobs);
      this.errors.end();
    } catch (error) {
      if (isServerReply(error)) this.errors.begin();
      throw error;
    }
  }

  private noAnswer(): Error {
    return new Error(`The queue ${this.name} has not answered in time`);
  }
}
