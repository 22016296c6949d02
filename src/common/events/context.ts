import { AsyncLocalStorage } from 'node:async_hooks';

/** Who and what is behind the work that is going on, for logs and for the events it publishes. */
export interface Context {
  /** One request or job with all that follows from it. */
  readonly correlationId: string;
  /** The event whose delivery is being handled, if one is. */
  readonly causationId: string | null;
  /** `api`, a subscriber's name, or a script's. */
  readonly actor: string;
}

const storage = new AsyncLocalStorage<Context>();

export function inContext<Result>(context: Context, work: () => Result): Result {
  return storage.run(context, work);
}

export function currentContext(): Context | undefined {
  return storage.getStore();
}
