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

/** Errors of Nest, Fastify and Node before a handler is called. Their own messages may repeat what the client sent. */
const REFUSALS: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['request-malformed', 'The request is not a complete and valid HTTP request'],
  404: ['route-not-found', 'No route matches this URL'],
  405: ['method-not-allowed', 'This URL does not support this method; see the Allow header'],
  408: ['request-timeout', 'The request took too long to arrive'],
  413: ['body-too-large', 'The body is larger than 1 MiB'],
  414: ['url-too-long', 'A segment of the URL is too long'],
  415: ['media-type-unsupported', 'Send the media type that /docs documents for this route, without content encoding'],
  431: ['headers-too-large', 'The headers are larger than 16 KiB'],
};

/** Node's errors have a code instead of a status. Codes of its parser (`HPE_…`) that are not listed here are 400. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const RETRY_AFTER_SECONDS = 2;

/** The part of Fastify's request and reply that the filter uses. */
interface WithRaw<Message> {
  readonly raw: Message;
}

/** Makes the problem document of an error. It contains nothing that is internal to the program. */
export function problemAnswer(error: unknown, correlationId: string): ProblemAnswer {
  return problemAnswerOf(refusalOf(error), correlationId);
}

/** Turns every error into a problem document. Errors of the program are logged here, once, with their cause. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(
    private readonly adapter: AbstractHttpAdapter,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request: WithRaw<IncomingMessage> = host.getArgByIndex(0);
    const reply: WithRaw<ServerResponse> = host.getArgByIndex(1);
    // The client disconnected before the end of its body, so the handler that reads the body failed: not our error.
    const { readableAborted, complete } = request.raw;
    const isCutOff = readableAborted && !complete;
    const refusal = isCutOff ? refused(400) : (this.wrongMethod(error, request) ?? refusalOf(error));
    this.log(error, refusal);
    if (this.adapter.isHeadersSent(reply)) {
      // The client must not take a partial response for a complete one.
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
    // Once per cause, because an outage fails every request. The request log has a line for each of them.
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
    return { status: 400, code: 'url-malformed', detail: 'The URL is not properly encoded' };
  const status = statusOf(error);
  if (status >= 400 && status < 500) return refused(status);
  return {
    status: 500,
    code: 'internal-error',
    detail: 'The server failed; the error has been logged with this correlation id',
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
