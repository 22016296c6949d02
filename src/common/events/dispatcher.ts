import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { logSparingly } from '../logging/rate-limit.js';
import { CrashPoints } from './crash-points.js';
import type { DeliveryRef } from './delivery.js';
import { type Dispatch, jobsOf } from './delivery-jobs.js';
import type { WatchedQueue } from './queue-connections.js';
import { Subscriptions } from './subscriptions.js';

/** During an outage every order would say so. */
const SAY_EVERY_MS = 30_000;

/** Hands deliveries to the queues. It may fail or forget: the relay finds what is left. */
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

  /** Returns at once: no answer to a client ever waits for a queue. */
  dispatch(refs: readonly DeliveryRef[], delayMs = 0): void {
    this.handOver(refs.map((ref) => ({ ref, delay: delayMs, once: false })));
  }

  /** The same for what may be in the queue for all we know, however often it is done: its jobs do not pile up. */
  remind(refs: readonly DeliveryRef[]): void {
    this.handOver(refs.map((ref) => ({ ref, delay: 0, once: true })));
  }

  /** Resolves when everything given so far has been handed over or been left to the relay. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** The modules whose queues do not answer. */
  async silentQueues(): Promise<string[]> {
    const answers = await Promise.all(
      this.modules.map(async (name) => ({ name, ok: await this.queueOf(name).answers() })),
    );
    return answers.filter(({ ok }) => !ok).map(({ name }) => name);
  }

  /** Those of these modules in whose queues so many jobs wait, and those whose queues do not answer. */
  async busyQueues(modules: readonly string[], jobs: number): Promise<string[]> {
    const looks = await Promise.all(
      modules.map(async (name) => ({ name, isBusy: await this.queueOf(name).isBusy(jobs) })),
    );
    return looks.filter(({ isBusy }) => isBusy).map(({ name }) => name);
  }

  /** The modules whose queues answer, and take no jobs. */
  troubledQueues(): string[] {
    return this.modules.filter((name) => this.queueOf(name).isInTrouble);
  }

  /**
   * Resolves when every queue has answered once. One on PostgreSQL that found nobody at its first word would never try
   * again.
   */
  async connect(): Promise<void> {
    await Promise.all(this.modules.map((module) => this.queueOf(module).waitUntilReady()));
  }

  private handOver(dispatches: readonly Dispatch[]): void {
    if (dispatches.length === 0) return;
    this.waiting.push(...dispatches);
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
      await this.queueOf(module).addInTime(jobsOf(batch));
      this.crashPoints.pass('after-enqueue');
    } catch (error) {
      const fields = { err: error, module, deliveries: batch.length };
      logSparingly(`dispatch ${module}`, SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('The queue is out of reach; the relay will try again', { ...fields, suppressed }),
      );
    }
  }

  private queueOf(module: string): WatchedQueue {
    return this.moduleRef.get(getQueueToken(module), { strict: false });
  }
}

function moduleOf({ ref }: Dispatch): string {
  return ref.subscriber.slice(0, ref.subscriber.indexOf('.'));
}
