import { createHash } from 'node:crypto';
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { catchError, Observable, of } from 'rxjs';
import { currentContext, runInContext } from '../context/context.js';
import { IdempotencyKeyMalformed } from './idempotency.errors.js';
import { AnsweredBefore, IdempotentRequest } from './idempotent-request.js';

export const IDEMPOTENCY_HEADER = 'Idempotency-Key';

/** Requests are not authenticated, so all clients share one principal. */
const PRINCIPAL = 'api';
/** A quoted string, as the IETF draft requires, or the key without quotes, as most clients send it. */
const KEY = /^(?:"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/;

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly routeOptions: { readonly url: string };
}

/**
 * Makes a POST repeatable: with an `Idempotency-Key` its work is done once, and a repeated request gets the first
 * answer. The method must do its work in one `transactions.run`.
 * @param answerTo makes the answer from the result of that run; the method must return the same answer
 */
export function Idempotent(answerTo: (result: never) => unknown): MethodDecorator {
  return applyDecorators(
    UseInterceptors(new IdempotencyInterceptor(answerTo as (result: unknown) => unknown)),
    ApiHeader({
      name: IDEMPOTENCY_HEADER,
      required: false,
      description:
        'For 24 hours, a repeated request with the same key gets the first answer, and its work is not repeated',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}

class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly answerTo: (result: unknown) => unknown) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const key = keyOf(request);
    const parent = currentContext();
    if (key === undefined || !parent) return next.handle();
    const route = `${request.method} ${request.routeOptions.url}`;
    const idempotencyClaim = new IdempotentRequest(
      { principal: PRINCIPAL, route, key, fingerprint: requestFingerprint(request) },
      this.answerTo,
    );
    return new Observable((subscriber) =>
      runInContext({ ...parent, idempotencyClaim }, () => next.handle().subscribe(subscriber)),
    ).pipe(
      catchError((error: unknown) => {
        if (error instanceof AnsweredBefore) return of(error.answer);
        throw error;
      }),
    );
  }
}

/** @throws {IdempotencyKeyMalformed} */
function keyOf({ headers }: Request): string | undefined {
  const given = headers[IDEMPOTENCY_HEADER.toLowerCase()];
  if (given === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(String(given)) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) throw new IdempotencyKeyMalformed();
  return key;
}

function requestFingerprint({ method, url, body }: Request): Buffer {
  return createHash('sha256')
    .update(`${method} ${url}\n${JSON.stringify(canonical(body))}`)
    .digest();
}

/** Sorts the fields of objects: requests that differ only in the sequence of fields are the same. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return fields.map(([name, field]) => [name, canonical(field)]);
}
