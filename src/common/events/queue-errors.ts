import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { logSparingly } from '../logging/rate-limit.js';
import { Subscriptions } from './subscriptions.js';

/** An outage makes BullMQ say the same thing many times a second. */
const SAY_EVERY_MS = 30_000;

interface Emitter {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** BullMQ reports a lost Redis or PostgreSQL only through 'error' events, and nobody else listens to them. */
@Injectable()
export class QueueErrors implements OnModuleInit {
  private readonly logger = new Logger('Queues');

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly subscriptions: Subscriptions,
  ) {}

  onModuleInit(): void {
    const modules = new Set(this.subscriptions.all.map(({ module }) => module));
    for (const module of modules) this.watch(this.moduleRef.get<Emitter>(getQueueToken(module), { strict: false }));
  }

  watch(emitter: Emitter): void {
    emitter.on('error', (error) => {
      logSparingly(`queue ${error.message}`, SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('A queue is out of reach', { err: error, queue: emitter.name, suppressed }),
      );
    });
  }
}
