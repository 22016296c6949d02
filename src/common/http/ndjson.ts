import { Readable } from 'node:stream';
import { applyDecorators, type PipeTransform } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { BodyMissing } from './request-errors.js';

export const NDJSON = 'application/x-ndjson';

/** The route accepts one JSON value per line, as a stream of any length: `@Body(NdjsonBody) input: Readable`. */
export function AcceptsNdjson(example: string): MethodDecorator {
  return applyDecorators(
    RouteConfig({ mediaType: NDJSON }),
    ApiConsumes(NDJSON),
    ApiBody({ schema: { type: 'string', example } }),
  );
}

/** Passes the raw body on as a stream. @throws {BodyMissing} when the request has no body */
export class NdjsonBody implements PipeTransform {
  transform(value: unknown): Readable {
    if (!(value instanceof Readable)) throw new BodyMissing();
    return value;
  }
}

export interface NdjsonLine {
  /** 1 for the first line; blank lines are counted too. */
  readonly number: number;
  /** Null for a line that exceeds the limit. */
  readonly bytes: Buffer | null;
}

const NEWLINE = 0x0a;

/** Yields the lines of a stream that are not blank. Memory is limited: the bytes of a too long line are dropped. */
export async function* ndjsonLines(input: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<NdjsonLine> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const append = (part: Buffer) => {
    length += part.length;
    if (length > maxBytes) parts = [];
    else parts.push(part);
  };
  const line = (): NdjsonLine => ({ number, bytes: length > maxBytes ? null : Buffer.concat(parts) });
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      append(chunk.subarray(start, end));
      if (!isBlank(line())) yield line();
      start = end + 1;
      number++;
      parts = [];
      length = 0;
    }
    append(chunk.subarray(start));
  }
  if (!isBlank(line())) yield line();
}

function isBlank({ bytes }: NdjsonLine): boolean {
  return bytes !== null && bytes.toString().trim() === '';
}
