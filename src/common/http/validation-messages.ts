import type { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  email: 'an e-mail address',
  datetime: 'a time such as 2026-11-23T08:00:00Z',
  safeint: 'a whole number',
};

/** The message of a schema without its own message: what the client should send. Never repeats the given value. */
export function messageFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'This field is required';
  switch (issue.code) {
    case 'invalid_type':
      return `Give ${TYPES[String(issue.expected)] ?? `a value of type ${issue.expected}`}`;
    case 'invalid_format':
      return FORMATS[String(issue.format)] && `Give ${FORMATS[String(issue.format)]}`;
    case 'invalid_value':
      return `Give ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `Give ${limitMessage('at least', issue.minimum, issue.origin)}`;
    case 'too_big':
      return `Give ${limitMessage('at most', issue.maximum, issue.origin)}`;
    case 'invalid_union':
      return 'This value matches none of the accepted schemas';
    default:
      return undefined;
  }
}

function limitMessage(bound: string, limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${bound} ${limit} character${limit === 1 ? '' : 's'}`;
  if (origin === 'array') return `${bound} ${limit} item${limit === 1 ? '' : 's'}`;
  return `${bound} ${limit}`;
}
