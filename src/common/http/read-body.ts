import type { Readable } from 'node:stream';
import { PayloadTooLargeException } from '@nestjs/common';

const BODY_MAX_BYTES = 1024 * 1024;

/** Many clients read no response before the whole body was sent, so the rest is read and dropped, up to this size. */
const DROPPED_MAX_BYTES = 64 * BODY_MAX_BYTES;

/** @throws {PayloadTooLargeException} for more than 1 MiB */
export async function readBody(payload: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const arriving: AsyncIterable<Buffer> = payload.iterator({ destroyOnReturn: false });
  for await (const chunk of arriving) {
    length += chunk.length;
    if (length <= BODY_MAX_BYTES) chunks.push(chunk);
    else if (length > DROPPED_MAX_BYTES) break;
  }
  if (length > BODY_MAX_BYTES) throw new PayloadTooLargeException();
  return Buffer.concat(chunks, length);
}
