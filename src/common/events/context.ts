import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sql } from '../database/session.js';

/** Makes what a request does happen once, however often the request is sent. */
export interface OncePerRequest {
  /** Called first in the request's transaction; throws where the work is not to be done. */
  claim(sql: Sql): Promise<void>;
  /** Called last in the transaction, with what its work gave. */
  keep(sql: Sql, result: unknown): void;
}

/** The actor behind what an HTTP request does. */
export const REQUESTS = 'api';

/** Who and what is behind the work that is going on, for logs and for the events it publishes. */
export interface Context {
  /** One request or job with all that follows from it. */
  readonly correlationId: string;
  /** The event whose delivery is being handled, if one is. */
  readonly causationId: string | null;
  /** `api` for a request, a subscriber's name, or a script's. */
  readonly actor: string;
  readonly once?: OncePerRequest;
}

const storage = new AsyncLocalStorage<Context>();

export function inContext<Result>(context: Context, work: () => Result): Result {
  return storage.run(context, work);
}

/**
 * The work, as part of what is going on now, whenever it is done. `AsyncResource.bind` would do so too, and keep all that
 * the work can see until the next full garbage collection: it makes functions the prototypes of others.
 */
export function inThisContext(work: () => void): () => void {
  const context = storage.getStore();
  return context ? () => storage.run(context, work) : work;
}

export function currentContext(): Context | undefined {
  return storage.getStore();
}
