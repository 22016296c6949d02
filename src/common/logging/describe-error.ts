import { format } from 'node:util';
import { isNativeError } from 'node:util/types';

const CAUSES_MAX = 5;

/** An error as it stands in the log: what a reader needs, and none of the fields that libraries hang data on. */
export function describeError(error: unknown, causesLeft = CAUSES_MAX): unknown {
  if (!isError(error)) return error;
  const { name, message, stack, cause } = error;
  return {
    type: error.constructor.name === 'Error' ? name : error.constructor.name,
    message,
    ...('code' in error && { code: error.code }),
    stack,
    ...(cause !== undefined && causesLeft > 0 && { cause: describeError(cause, causesLeft - 1) }),
    ...(error instanceof AggregateError &&
      causesLeft > 0 && { errors: error.errors.map((each) => describeError(each, causesLeft - 1)) }),
  };
}

/** Errors of Node itself are no instances of our Error where code runs in a context of its own, as it does in Jest. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/** What was thrown, as an error: some throw texts, or nothing at all. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(format(thrown));
}

/** The code of an error of Node's or PostgreSQL's, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error ? String(error.code) : undefined;
}
