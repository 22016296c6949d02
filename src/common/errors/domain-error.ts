/**
 * What went wrong, in the caller's terms. Only problem.filter.ts knows which HTTP status that is.
 * `malformed`: the request itself cannot be understood; `invalid`: it is understood, and the shop cannot accept it.
 */
export type ErrorKind = 'malformed' | 'not-found' | 'conflict' | 'invalid' | 'unavailable';

/** A refusal with a stable code and a sentence that holds the values. One subclass a cause, in `<module>.errors.ts`. */
export abstract class DomainError extends Error {
  abstract readonly kind: ErrorKind;
  /** Stable slug that programs may rely on, e.g. `order-not-found`. */
  abstract readonly code: string;
  /** What a program may want beside the sentence: further members of the problem document, e.g. `{ lines: […] }`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** When trying again makes sense. */
  readonly retryAfterSeconds?: number;
}
