import { AsyncLocalStorage } from 'node:async_hooks';

/** The actor of HTTP requests. */
export const API_ACTOR = 'api';

/** The cause of the current work: for log lines, and for the events that it publishes. */
export interface Context {
  /** The same for a request or job and everything that it causes. */
  readonly correlationId: string;
  /** The event whose delivery is being handled, if any. */
  readonly causationId: string | null;
  /** `api` for a request, else the name of a subscriber or of a background task. */
  readonly actor: string;
}

const storage = new AsyncLocalStorage<Context>();

export function runInContext<Result>(context: Context, work: () => Result): Result {
  return storage.run(context, work);
}

/**
 * Binds a function to the current context. `AsyncResource.bind` would do the same, but retain everything that the
 * function references until the next full garbage collection, because it makes one function the prototype of another.
 */
export function bindToContext(work: () => void): () => void {
  const context = storage.getStore();
  return context ? () => storage.run(context, work) : work;
}

export function currentContext(): Context | undefined {
  return storage.getStore();
}
