import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Queue, type QueueOptions, Worker } from 'bullmq';
import { logSparingly } from '../logging/rate-limit.js';

/** An outage makes BullMQ say the same thing many times a second. */
const SAY_EVERY_MS = 30_000;
/** BullMQ would wait for ever for the end of a connection that is not there; nothing is lost with it. */
const GOODBYE_MS = 1_000;
/** A program that has just started finds its queues a moment later. */
const HELLO_MS = 2_000;

const logger = new Logger('Queues');

interface Emitter {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A queue that knows whether it was ever reached. Until then BullMQ keeps whoever adds a job waiting, without a bound. */
export class WatchedQueue extends Queue {
  private wasReached = false;
  private readonly hello: Promise<void>;

  constructor(name: string, options: QueueOptions) {
    super(name, options);
    sayErrors(this);
    this.hello = this.waitUntilReady().then(
      () => {
        this.wasReached = true;
      },
      () => undefined, // Said by the 'error' event.
    );
  }

  /** @throws {Error} as long as there has been no connection, after having waited for it a little */
  async assertReached(): Promise<void> {
    if (!this.wasReached) await within(HELLO_MS, this.hello);
    if (!this.wasReached) throw new Error(`The queue ${this.name} has not been reached yet`);
  }

  override async close(): Promise<void> {
    await within(GOODBYE_MS, super.close());
    await within(0, this.disconnect());
  }
}

/** A worker that can be made to end although its queue is out of reach. */
export class WatchedWorker extends Worker {
  private isGone = false;

  constructor(...parameters: ConstructorParameters<typeof Worker>) {
    super(...parameters);
    sayErrors(this);
  }

  override async close(force?: boolean): Promise<void> {
    if (!this.isGone) await super.close(force);
  }

  /** Ends the connections of a worker whose jobs have ended. */
  async leave(): Promise<void> {
    await within(GOODBYE_MS, this.close());
    this.isGone = true;
    await within(0, Promise.all([this.backend.close(true), this.disconnect()]));
  }
}

/** Waits for an end, but not longer than that; how it ended does not matter any more. */
export async function within(ms: number, ending: Promise<unknown>): Promise<void> {
  const logged = ending.catch((err: unknown) => logger.debug('A connection ended with an error', { err }));
  await Promise.race([logged, pause(ms, undefined, { ref: false })]);
}

/** BullMQ reports what goes wrong with a connection only through 'error' events, from the first moment on. */
function sayErrors(emitter: Emitter): void {
  emitter.on('error', (error: Error) => {
    logSparingly(`queue ${error.message}`, SAY_EVERY_MS, (suppressed) =>
      logger.warn('A queue is out of reach', { err: error, queue: emitter.name, suppressed }),
    );
  });
}
