import { format } from 'node:util';
import { isNativeError } from 'node:util/types';

const CAUSES_MAX = 5;

/** An error for the log: type, message, code, stack and causes, without the fields that libraries attach. */
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

/** Also true for Node's own errors in another VM context, as in Jest, where they are not instances of our `Error`. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/** Converts a thrown value to an error: code may throw a text, or undefined. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(format(thrown));
}

/** The code of an error of Node or PostgreSQL, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error ? String(error.code) : undefined;
}
