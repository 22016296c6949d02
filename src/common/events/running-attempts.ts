import { handlerSeconds } from '../metrics/measures.js';
import type { Subscription } from './subscriptions.js';

/** An aborted side effect gets this long to let go of its socket. */
export const LET_GO_MS = 3_000;

class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** The handlers that run at this moment: each ends in its time, or is cut off. */
export class RunningAttempts {
  private readonly running = new Set<AbortController>();

  /** Waits for a handler as long as its subscription says, and gives up on one that goes on when it is told to stop. */
  async run({ name, timeoutMs }: Subscription, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(new TimedOut(`No outcome within ${timeoutMs} ms`)), timeoutMs);
    const measured = handlerSeconds.startTimer({ subscriber: name });
    this.running.add(attempt);
    try {
      await Promise.race([work(attempt.signal), letGoAfter(attempt.signal)]);
    } finally {
      this.running.delete(attempt);
      clearTimeout(timer);
      measured();
    }
  }

  abort(reason: string): void {
    for (const attempt of this.running) attempt.abort(new Error(reason));
  }
}

/** Rejects some time after the signal: a handler that heeds it is faster, and its own error tells more. */
function letGoAfter(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), LET_GO_MS).unref(), { once: true });
  });
}
