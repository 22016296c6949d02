import { Logger } from '@nestjs/common';
import { codeOf, isError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import { fingerprintOf } from './fingerprint.js';

/** An outage makes BullMQ say the same thing many times a second. */
const SAY_EVERY_MS = 30_000;
/** Whoever hears errors asks again within seconds, so trouble that is not heard of for longer is over. */
const LASTS_MS = 30_000;

const logger = new Logger('Queues');

interface Emitter {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A queue that answers, but with errors: it has no room to write, or may not write. Nothing gets through meanwhile. */
export class QueueTrouble {
  private heardAt = Number.NEGATIVE_INFINITY;

  begin(): void {
    this.heardAt = performance.now();
  }

  end(): void {
    this.heardAt = Number.NEGATIVE_INFINITY;
  }

  get isThere(): boolean {
    return performance.now() - this.heardAt < LASTS_MS;
  }
}

/** Said by Redis or PostgreSQL themselves, so there is a way to them; not by the way itself. */
export function isAnswer(error: unknown): boolean {
  return isError(error) && (error.name === 'ReplyError' || 'severity' in error);
}

/** BullMQ reports what goes wrong with a connection or a job only through 'error' events, from the first moment on. */
export function sayErrors(emitter: Emitter): void {
  emitter.on('error', (error) => saySparingly(error, 'A queue is in trouble', { queue: emitter.name }));
}

/** By the error's code or gist, because messages name jobs and addresses. */
export function saySparingly(error: Error, what: string, fields: object): void {
  logSparingly(`${what} ${codeOf(error) ?? fingerprintOf(error)}`, SAY_EVERY_MS, (suppressed) =>
    logger.warn(what, { err: error, ...fields, suppressed }),
  );
}
