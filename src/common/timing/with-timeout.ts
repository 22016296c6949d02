import { Logger } from '@nestjs/common';
import pTimeout from 'p-timeout';

const logger = new Logger('Timeouts');

/** A timer that does not keep the process running. */
const customTimers = {
  setTimeout: (run: () => void, ms?: number) => setTimeout(run, ms).unref(),
  clearTimeout,
} as typeof globalThis;

/** Settles like the promise, or after `ms` with the value that `onTimeout` returns or throws. */
export function withTimeout<Result, Late>(
  ms: number,
  promise: PromiseLike<Result>,
  onTimeout: () => Late,
): Promise<Result | Late> {
  return pTimeout(promise, { milliseconds: ms, fallback: onTimeout, customTimers });
}

/** Waits until the promise settles or `ms` pass. Errors are only logged. */
export async function waitAtMost(ms: number, promise: PromiseLike<unknown> | undefined): Promise<void> {
  const settled = Promise.resolve(promise).catch((err: unknown) => logger.debug('Ended with an error', { err }));
  await withTimeout(ms, settled, () => undefined);
}
