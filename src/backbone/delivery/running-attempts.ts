import { handlerSeconds } from '../publishing/publishing-metrics.js';
import type { Subscription } from '../registry/subscriptions.js';

/** An aborted side effect has this long to release its socket. */
export const ABORT_GRACE_MS = 3_000;

class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** The handlers that run at the moment. Each ends within its time-out, or is aborted. */
export class RunningAttempts {
  private readonly running = new Set<AbortController>();

  /** Waits for a handler up to the time-out of its subscription, and stops waiting for one that ignores the abort. */
  async run({ name, timeoutMs }: Subscription, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(new TimedOut(`No outcome within ${timeoutMs} ms`)), timeoutMs);
    const stopTimer = handlerSeconds.startTimer({ subscriber: name });
    this.running.add(attempt);
    try {
      await Promise.race([work(attempt.signal), rejectAfterAbort(attempt.signal)]);
    } finally {
      this.running.delete(attempt);
      clearTimeout(timer);
      stopTimer();
    }
  }

  abort(reason: string): void {
    for (const attempt of this.running) attempt.abort(new Error(reason));
  }
}

/** A handler that reacts to the signal rejects earlier, and its own error is more exact. */
function rejectAfterAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), ABORT_GRACE_MS).unref(), {
      once: true,
    });
  });
}
