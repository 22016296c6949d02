import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { BodyMissing, type FieldError, RequestInvalid } from './request-errors.js';
import { messageFor } from './validation-messages.js';

const ERRORS_MAX = 50;
const PATH_LENGTH_MAX = 100;
const MESSAGE_LENGTH_MAX = 200;

/**
 * Validates arguments with a schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', { schema })`. Nest's own
 * pipe drops fields called `constructor` and `prototype` before validation, and reports no parameter name.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (!(schema instanceof z.ZodType)) return value;
    if (type === 'body' && value === undefined && !schema.safeParse(value).success) throw new BodyMissing();
    return parseOrReject(schema, value, data);
  }
}

/**
 * Returns the value as parsed by its schema.
 * @param root the name of the value in the paths of errors
 * @throws {RequestInvalid} with every field that does not match
 */
export function parseOrReject<Output>(schema: z.ZodType<Output>, value: unknown, root?: string): Output {
  const result = schema.safeParse(value, { error: messageFor });
  if (result.success) return result.data;
  throw new RequestInvalid(result.error.issues.flatMap((issue) => errorsOf(issue, root)).slice(0, ERRORS_MAX));
}

function errorsOf(issue: z.core.$ZodIssue, root = ''): FieldError[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ path: pathOf(root, issue.path), message: clip(issue.message, MESSAGE_LENGTH_MAX) }];
  return issue.keys
    .slice(0, ERRORS_MAX)
    .map((key) => ({ path: pathOf(root, [...issue.path, key]), message: 'This field is not known here' }));
}

function pathOf(root: string, path: readonly PropertyKey[]): string {
  const joined = path.reduce<string>(
    (before, key) =>
      typeof key === 'number' ? `${before}[${key}]` : before ? `${before}.${String(key)}` : String(key),
    root,
  );
  return clip(joined, PATH_LENGTH_MAX);
}

function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
