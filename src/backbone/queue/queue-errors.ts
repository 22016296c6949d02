import { Logger } from '@nestjs/common';
import { errorFingerprint } from '../../common/errors/failure.js';
import { codeOf, isError } from '../../common/logging/describe-error.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';

/** Clients retry within seconds, so an error state without a new error for this long is over. */
const ERROR_STATE_MS = 30_000;

const logger = new Logger('Queues');

interface Emitter {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Whether a queue answers with errors, e.g. because it is read-only or has no space, so that it accepts no jobs. */
export class ErrorState {
  private since = Number.NEGATIVE_INFINITY;

  begin(): void {
    this.since = performance.now();
  }

  end(): void {
    this.since = Number.NEGATIVE_INFINITY;
  }

  get isActive(): boolean {
    return performance.now() - this.since < ERROR_STATE_MS;
  }
}

/** Whether Redis or PostgreSQL sent the error itself, so that the connection works. */
export function isServerReply(error: unknown): boolean {
  return isError(error) && (error.name === 'ReplyError' || 'severity' in error);
}

/** BullMQ reports connection and job errors only through 'error' events, from the first moment on. */
export function logErrors(emitter: Emitter): void {
  emitter.on('error', (error) => warnOccasionally(error, 'A queue reports an error', { queue: emitter.name }));
}

/** Logs once per error code or fingerprint, because messages contain job ids and addresses. */
export function warnOccasionally(error: Error, message: string, fields: object): void {
  const key = `${message} ${codeOf(error) ?? errorFingerprint(error)}`;
  logOccasionally(logger, 'warn', { message, key, err: error, ...fields });
}
