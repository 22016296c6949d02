/**
 * The kind of refusal, from which problem.filter.ts chooses the HTTP status.
 * `malformed`: the request cannot be parsed; `invalid`: it is well-formed, but cannot be accepted.
 */
export type ErrorKind = 'malformed' | 'not-found' | 'conflict' | 'invalid' | 'unavailable';

/** A refusal with a stable code and a sentence with the values. One subclass per cause, in `<module>.errors.ts`. */
export abstract class DomainError extends Error {
  abstract readonly kind: ErrorKind;
  /** Stable slug that programs may rely on, e.g. `order-not-found`. */
  abstract readonly code: string;
  /** Further members of the problem document, for programs, e.g. `{ lines: […] }`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Set where a repeated request may succeed; sent as Retry-After. */
  readonly retryAfterSeconds?: number;
}
