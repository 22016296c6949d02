import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Job, Queue } from 'bullmq';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import { CrashPoints } from '../crash-points.js';
import { claimId, type DeliveryRef } from '../delivery.js';
import { Subscriptions } from '../registry/subscriptions.js';
import type { MonitoredQueue } from './monitored-queue.js';

/** A job is a hint that these deliveries of one subscriber may be due. */
export type DeliveryJob = Job<readonly DeliveryRef[]>;
type NewJob = Parameters<Queue['addBulk']>[0][number];

/** A delivery to enqueue. */
export interface Dispatch {
  readonly ref: DeliveryRef;
  /** Milliseconds until it is due. */
  readonly delay: number;
  /** It is not added again while its job for the same claim number waits. */
  readonly once: boolean;
}

/** Deliveries that are dispatched together share a job, and so the cost of adding, fetching and finishing it. */
const DELIVERIES_PER_JOB_MAX = 20;

/** Makes one job for up to 20 deliveries of a subscriber, and one for each delivery that is delayed or added once. */
export function jobsFor(dispatches: readonly Dispatch[]): NewJob[] {
  const jobs: NewJob[] = [];
  const shared = new Map<string, DeliveryRef[]>();
  for (const { ref, delay, once } of dispatches) {
    const isAlone = delay > 0 || once;
    const part = isAlone ? undefined : shared.get(ref.subscriber);
    if (part && part.length < DELIVERIES_PER_JOB_MAX) {
      part.push(ref);
      continue;
    }
    const data = [ref];
    if (!isAlone) shared.set(ref.subscriber, data);
    const opts = once ? { delay, jobId: claimId(ref) } : { delay };
    jobs.push({ name: ref.subscriber, data, opts });
  }
  return jobs;
}

/** Enqueues deliveries after commit. It may fail or lose them: the relay enqueues overdue deliveries again. */
@Injectable()
export class Dispatcher {
  private readonly logger = new Logger(Dispatcher.name);
  private readonly modules: readonly string[];
  private waiting: Dispatch[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly crashPoints: CrashPoints,
    subscriptions: Subscriptions,
  ) {
    this.modules = [...new Set(subscriptions.all.map(({ module }) => module))];
  }

  /** Returns at once: no response to a client waits for a queue. */
  dispatch(refs: readonly DeliveryRef[], delayMs = 0): void {
    this.enqueueSoon(refs.map((ref) => ({ ref, delay: delayMs, once: false })));
  }

  /** The same for deliveries that may still be in the queue: their jobs do not accumulate. */
  redispatch(refs: readonly DeliveryRef[]): void {
    this.enqueueSoon(refs.map((ref) => ({ ref, delay: 0, once: true })));
  }

  /** Resolves when everything dispatched so far was enqueued or left to the relay. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** The modules whose queues do not answer. */
  async unansweringQueues(): Promise<string[]> {
    const answers = await Promise.all(
      this.modules.map(async (name) => ({ name, ok: await this.queueOf(name).answers() })),
    );
    return answers.filter(({ ok }) => !ok).map(({ name }) => name);
  }

  /** Of these modules the ones whose queues hold at least so many waiting jobs, or do not answer. */
  async busyQueues(modules: readonly string[], jobs: number): Promise<string[]> {
    const states = await Promise.all(
      modules.map(async (name) => ({ name, isBusy: await this.queueOf(name).isBusy(jobs) })),
    );
    return states.filter(({ isBusy }) => isBusy).map(({ name }) => name);
  }

  /** The modules whose queues answer, but with errors. */
  failingQueues(): string[] {
    return this.modules.filter((name) => this.queueOf(name).isFailing);
  }

  /** Resolves when every queue has answered. A queue on PostgreSQL never reconnects after a failed first connection. */
  async connect(): Promise<void> {
    await Promise.all(this.modules.map((module) => this.queueOf(module).waitUntilReady()));
  }

  private enqueueSoon(dispatches: readonly Dispatch[]): void {
    if (dispatches.length === 0) return;
    // One by one: a call with more than some 120,000 arguments throws a RangeError.
    for (const each of dispatches) this.waiting.push(each);
    this.running ??= this.drain();
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      const modules = new Set(batch.map(moduleOf));
      const parts = [...modules].map((module) => ({ module, part: batch.filter((each) => moduleOf(each) === module) }));
      await Promise.all(parts.map(({ module, part }) => this.enqueue(module, part)));
    }
    this.running = undefined;
  }

  private async enqueue(module: string, batch: readonly Dispatch[]): Promise<void> {
    try {
      await this.queueOf(module).addWithTimeout(jobsFor(batch));
      this.crashPoints.pass('after-enqueue');
    } catch (err) {
      const message = 'The queue is out of reach; the relay will try again';
      const fields = { err, module, deliveries: batch.length };
      logOccasionally(this.logger, 'warn', { message, key: `dispatch ${module}`, ...fields });
    }
  }

  private queueOf(module: string): MonitoredQueue {
    return this.moduleRef.get(getQueueToken(module), { strict: false });
  }
}

function moduleOf({ ref }: Dispatch): string {
  return ref.subscriber.slice(0, ref.subscriber.indexOf('.'));
}
