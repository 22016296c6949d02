import { Readable } from 'node:stream';
import { applyDecorators, type PipeTransform } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { BodyMissing } from './request-errors.js';

export const NDJSON = 'application/x-ndjson';

/** This route takes one JSON value a line, as a stream of any length: `@Body(LineStream) lines: Readable`. */
export function AcceptsNdjson(example: string): MethodDecorator {
  return applyDecorators(
    RouteConfig({ mediaType: NDJSON }),
    ApiConsumes(NDJSON),
    ApiBody({ schema: { type: 'string', example } }),
  );
}

/** Hands the raw body on. @throws {BodyMissing} when the request came without one */
export class NdjsonBody implements PipeTransform {
  transform(value: unknown): Readable {
    if (!(value instanceof Readable)) throw new BodyMissing();
    return value;
  }
}
