import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { currentContext } from '../context/context.js';
import { CommitUnknown, sqlStateOf } from '../database/database-errors.js';
import { databaseProblemOf } from '../database/database-problems.js';
import { DomainError, type ErrorKind } from '../errors/domain-error.js';
import { isError } from '../logging/describe-error.js';
import { logOccasionally } from '../logging/log-occasionally.js';
import { type ProblemAnswer, problemAnswerOf, type Refusal } from './problem.js';
import type { RouteTable } from './route-table.js';

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  malformed: 400,
  'not-found': 404,
  conflict: 409,
  invalid: 422,
  unavailable: 503,
};

/** What Nest, Fastify and Node refuse before a handler is reached. Their own texts may repeat what the caller sent. */
const REFUSALS: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['request-malformed', 'This is no complete and valid HTTP request'],
  404: ['route-not-found', 'There is nothing at this address'],
  405: ['method-not-allowed', 'This address does not know this method; see the Allow header'],
  408: ['request-timeout', 'The request took too long to arrive'],
  413: ['body-too-large', 'The body is larger than 1 MiB'],
  414: ['url-too-long', 'A part of the address is too long'],
  415: [
    'media-type-unsupported',
    'Send the media type that the documentation at /docs names, without content encoding',
  ],
  431: ['headers-too-large', 'The headers are larger than 16 KiB'],
};

/** Node's errors come without a status. Those of its parser that are not listed are 400. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const RETRY_AFTER_SECONDS = 2;

/** Fastify's request and reply, as far as the filter looks at them. */
interface Wrapped<Message> {
  readonly raw: Message;
}

/** Tells of an error what the caller may know, and nothing else. */
export function problemAnswer(error: unknown, correlationId: string): ProblemAnswer {
  return problemAnswerOf(refusalOf(error), correlationId);
}

/** Turns every error into a problem document; what is our fault is logged here, once, with its cause. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(
    private readonly adapter: AbstractHttpAdapter,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request: Wrapped<IncomingMessage> = host.getArgByIndex(0);
    const reply: Wrapped<ServerResponse> = host.getArgByIndex(1);
    // A caller that goes away in the middle of a body makes the handler that reads it fail: nobody's fault here.
    const { readableAborted, complete } = request.raw;
    const isCutOff = readableAborted && !complete;
    const refusal = isCutOff ? refused(400) : (this.wrongMethod(error, request) ?? refusalOf(error));
    this.log(error, refusal);
    if (this.adapter.isHeadersSent(reply)) {
      // Half an answer must not look like a whole one.
      reply.raw.destroy();
      return;
    }
    const { status, headers, body } = problemAnswerOf(refusal, currentContext()?.correlationId ?? '');
    for (const [name, value] of Object.entries(headers)) this.adapter.setHeader(reply, name, value);
    // As bytes, because Fastify adds a charset to strings, and this media type has none.
    this.adapter.reply(reply, Buffer.from(body), status);
  }

  private wrongMethod(error: unknown, request: unknown): Refusal | undefined {
    if (!(error instanceof NotFoundException)) return undefined;
    const url: string = this.adapter.getRequestUrl(request);
    const method: string = this.adapter.getRequestMethod(request);
    const allowed = this.routes.methodsAt(url);
    if (allowed.length === 0 || allowed.includes(method)) return undefined;
    return { ...refused(405), headers: { allow: allowed.join(', ') } };
  }

  private log(error: unknown, { status, code }: Refusal): void {
    if (status < 500) return;
    if (status !== 503) return this.logger.error(error);
    // Once for each cause, because an outage fails every request. Each of them has a line of its own as well.
    const level = error instanceof CommitUnknown ? 'error' : 'warn';
    const cause = [code, level, sqlStateOf(error)].join(' ');
    logOccasionally(this.logger, level, {
      message: isError(error) ? error.message : String(error),
      key: cause,
      err: error,
      code,
    });
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof DomainError) return refusalOfDomain(error);
  const unavailable = databaseProblemOf(error);
  if (unavailable) return { status: 503, ...unavailable, headers: retryAfter(unavailable.retryAfterSeconds) };
  if (codeOf(error) === 'FST_ERR_BAD_URL')
    return { status: 400, code: 'url-malformed', detail: 'The address is not properly encoded' };
  const status = statusOf(error);
  if (status >= 400 && status < 500) return refused(status);
  return {
    status: 500,
    code: 'internal-error',
    detail: 'Something went wrong on our side; it has been logged with this correlation id',
  };
}

function refusalOfDomain({ kind, code, message, details, retryAfterSeconds }: DomainError): Refusal {
  const seconds = retryAfterSeconds ?? (kind === 'unavailable' ? RETRY_AFTER_SECONDS : undefined);
  const headers = seconds === undefined ? {} : retryAfter(seconds);
  return { status: STATUS_OF_KIND[kind], code, detail: message, headers, ...(details && { details }) };
}

function refused(status: number): Refusal {
  const standard = STATUS_CODES[status] ?? 'Bad Request';
  const [code, detail] = REFUSALS[status] ?? [standard.toLowerCase().replaceAll(/[^a-z]+/g, '-'), standard];
  return { status, code, detail };
}

function retryAfter(seconds: number): Record<string, string> {
  return { 'retry-after': String(seconds) };
}

function codeOf(error: unknown): string {
  const origin = error instanceof HttpException ? error.cause : error;
  return isObject(origin) && 'code' in origin ? String(origin.code) : '';
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (isObject(error) && 'statusCode' in error) return Number(error.statusCode);
  const code = codeOf(error);
  return STATUS_OF_CODE[code] ?? (code.startsWith('HPE_') ? 400 : 500);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
