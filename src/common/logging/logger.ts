import type { Writable } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { currentContext } from '../context/context.js';
import { describeError, isError } from './describe-error.js';
import { maskPersonal, secretPaths } from './redact.js';

export interface LogSettings {
  readonly level: Level;
  /** Readable lines, or one JSON object per line. */
  readonly format: 'pretty' | 'json';
}

/** Creates the logger behind Nest's `Logger`: `new Logger('Orders').log('Order placed', { orderId })`. */
export function createLogger({ level, format }: LogSettings, output?: Writable): AppLogger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: contextFields,
    serializers: { err: describeError },
    redact: { paths: secretPaths, remove: true },
    hooks: { streamWrite: maskPersonal },
  };
  return new AppLogger(
    pino(options, format === 'pretty' ? readable(output) : (output ?? pino.destination({ sync: true }))),
  );
}

/** For errors before the configuration is read: readable on a terminal, JSON elsewhere. */
export function createStartUpLogger(): AppLogger {
  return createLogger({ level: 'info', format: process.stdout.isTTY ? 'pretty' : 'json' });
}

/** Contexts of Nest's own start, which are of no use to operators. Nest also throws the errors that it logs there. */
const NEST_START_CONTEXTS = new Set<unknown>([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/**
 * Takes Nest's arguments: a message or an error; then errors, stacks and fields; at the end the name of the context.
 */
export class AppLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(NEST_START_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write(NEST_START_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const texts = rest.filter((each) => typeof each === 'string');
    const err = [message, ...rest].find((each) => isError(each));
    const fields = Object.assign({}, ...rest.filter((each) => typeof each === 'object' && !isError(each)));
    const [context, stack] = texts.toReversed();
    const line = { ...fields, ...(context && { context }), ...(stack && { stack }), ...(err && { err }) };
    this.pino[level](line, isError(message) ? message.message : String(message));
  }
}

function contextFields(): Record<string, string> {
  const { correlationId, causationId, actor } = currentContext() ?? {};
  return { ...(correlationId && { correlationId }), ...(causationId && { causationId }), ...(actor && { actor }) };
}

function readable(output: Writable | undefined): DestinationStream {
  return pretty({
    colorize: !output && process.stdout.isTTY,
    singleLine: true,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{if context}{context}: {end}{msg}',
    // The message of a request has these values.
    ignore: 'context,actor,causationId,method,route,status,ms',
    ...(output && { destination: output }),
  });
}
