import { currentContext } from '../context/context.js';
import type { Sql } from '../database/session.js';

/**
 * The Idempotency-Key of the current request. The first transaction of the request claims it and stores the answer, so
 * the key, the answer and the work commit together. It is part of the context and not a parameter: the unit of work
 * reads it, and no service has to pass it on.
 */
export interface IdempotencyClaim {
  /** Called first in the transaction. Throws if the work must not be done. */
  claim(sql: Sql): Promise<void>;
  /** Called last in the transaction, with the result of its work. */
  keepAnswer(sql: Sql, result: unknown): void;
}

declare module '../context/context.js' {
  interface Context {
    readonly idempotencyClaim?: IdempotencyClaim;
  }
}

export function currentClaim(): IdempotencyClaim | undefined {
  return currentContext()?.idempotencyClaim;
}
