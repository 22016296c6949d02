import { Logger } from '@nestjs/common';
import { Queue, type QueueOptions } from 'bullmq';
import { within } from '../timing/within.js';
import { isAnswer, QueueTrouble, sayErrors } from './queue-trouble.js';

/** A queue that is alive answers in milliseconds. */
const ANSWER_MS = 3_000;
/** Less than a health check may take. */
const PROBE_MS = 1_500;
/** BullMQ would wait for ever for the end of a connection that is not there; nothing is lost with it. */
const GOODBYE_MS = 500;

const logger = new Logger('Queues');

/** A queue that says when it is out of reach. BullMQ keeps whoever adds a job waiting, without a bound. */
export class WatchedQueue extends Queue {
  private isSilent = false;
  private readonly trouble = new QueueTrouble();

  constructor(name: string, options: QueueOptions) {
    super(name, options);
    sayErrors(this);
  }

  /** Whether it takes no jobs, though it answers. */
  get isInTrouble(): boolean {
    return this.trouble.isThere;
  }

  /** @throws {Error} when there is no answer in time, and at once while an earlier one is missing */
  async addInTime(jobs: Parameters<Queue['addBulk']>[0]): Promise<void> {
    if (this.isSilent) throw new Error(`The queue ${this.name} does not answer`);
    const adding = this.addAll(jobs).finally(() => {
      this.isSilent = false;
    });
    await inTime(adding, ANSWER_MS, () => {
      this.isSilent = true;
      return this.silence();
    });
  }

  /** Whether it answers at all, whatever it has to say. */
  async answers(): Promise<boolean> {
    return (await this.probe(this.isPaused())) !== undefined;
  }

  /** Whether so many jobs wait for a worker, or it does not answer. To count them all takes PostgreSQL as long as there are many. */
  async isBusy(jobs: number): Promise<boolean> {
    const last = await this.probe(this.getRanges(['wait'], jobs - 1, jobs - 1));
    return last === undefined || last.length > 0;
  }

  override async close(): Promise<void> {
    await within(GOODBYE_MS, super.close());
    await within(0, this.disconnect());
  }

  private async probe<Answer>(question: Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await inTime(question, PROBE_MS, () => this.silence());
    } catch (error) {
      logger.debug('A queue does not answer', { err: error, queue: this.name });
      return undefined;
    }
  }

  private async addAll(jobs: Parameters<Queue['addBulk']>[0]): Promise<void> {
    try {
      await this.addBulk(jobs);
      this.trouble.end();
    } catch (error) {
      if (isAnswer(error)) this.trouble.begin();
      throw error;
    }
  }

  private silence(): Error {
    return new Error(`The queue ${this.name} has not answered in time`);
  }
}

async function inTime<Answer>(answer: Promise<Answer>, ms: number, tooLate: () => Error): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), ms);
  });
  return Promise.race([answer, silence]).finally(() => clearTimeout(timer));
}
