import type { Readable } from 'node:stream';
import { UnsupportedMediaTypeException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { parseJson } from './json-body.js';
import { NDJSON } from './ndjson.js';
import { readBody } from './read-body.js';

const JSON_TYPE = 'application/json';

/** What Fastify's request tells of the body and of the route, whose config comes from ndjson.ts. */
interface Addressed {
  readonly headers: { readonly 'content-encoding'?: string | undefined };
  readonly routeOptions: { readonly config?: object };
}

/** Fastify that takes JSON, and lines of JSON where a route asks for them, and nothing else. */
export class JsonAdapter extends FastifyAdapter {
  /** Nest would add a parser for forms, and its own for JSON. */
  override registerParserMiddleware(): void {
    const fastify = this.getInstance();
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser(JSON_TYPE, async (request: Addressed, payload: Readable) => {
      refuseOtherThan(JSON_TYPE, request);
      const body = await readBody(payload);
      // Many clients name the type with every POST; whether there has to be a body is the route's to say.
      return body.length === 0 ? undefined : parseJson(body);
    });
    fastify.addContentTypeParser(NDJSON, async (request: Addressed, payload: Readable) => {
      refuseOtherThan(NDJSON, request);
      return payload;
    });
  }
}

function refuseOtherThan(mediaType: string, { headers, routeOptions }: Addressed): void {
  const config = routeOptions.config ?? {};
  const wanted = 'mediaType' in config ? config.mediaType : JSON_TYPE;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (wanted !== mediaType || encoding !== 'identity') throw new UnsupportedMediaTypeException();
}
