import type { Readable } from 'node:stream';
import { UnsupportedMediaTypeException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { parseJson } from './json-body.js';
import { NDJSON } from './ndjson.js';
import { readBody } from './read-body.js';

const JSON_TYPE = 'application/json';

/** The part of Fastify's request that a body parser reads. The config of the route comes from `AcceptsNdjson`. */
interface RoutedRequest {
  readonly headers: { readonly 'content-encoding'?: string | undefined };
  readonly routeOptions: { readonly config?: object };
}

/** Fastify that accepts JSON, and NDJSON on routes with `AcceptsNdjson`, and no other media type. */
export class JsonAdapter extends FastifyAdapter {
  /** Nest would add a parser for forms and its own parser for JSON. */
  override registerParserMiddleware(): void {
    const fastify = this.getInstance();
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser(JSON_TYPE, async (request: RoutedRequest, payload: Readable) => {
      assertAccepted(JSON_TYPE, request);
      const body = await readBody(payload);
      // Many clients send the content type without a body. The schema of the route decides whether a body is required.
      return body.length === 0 ? undefined : parseJson(body);
    });
    fastify.addContentTypeParser(NDJSON, async (request: RoutedRequest, payload: Readable) => {
      assertAccepted(NDJSON, request);
      return payload;
    });
  }
}

function assertAccepted(mediaType: string, { headers, routeOptions }: RoutedRequest): void {
  const config = routeOptions.config ?? {};
  const accepted = 'mediaType' in config ? config.mediaType : JSON_TYPE;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (accepted !== mediaType || encoding !== 'identity') throw new UnsupportedMediaTypeException();
}
