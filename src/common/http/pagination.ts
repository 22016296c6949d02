import { z } from 'zod';
import { CursorInvalid } from './request-errors.js';

export interface Page<Item> {
  readonly items: Item[];
  /** The cursor of the next page; null on the last page. */
  readonly nextCursor: string | null;
}

/** The fields of a list's query: `z.strictObject({ status, ...pageQuery })`. */
export const pageQuery = {
  cursor: z.string().max(512).optional().meta({ description: '`nextCursor` of the previous page' }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Maximum number of items per page' }),
};

/** A position in a list: the sort key of the last row of a page, opaque to clients. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws {CursorInvalid} when the cursor does not match the schema */
export function decodeCursor<Parts>(cursor: string, schema: z.ZodType<Parts>): Parts {
  const parts = schema.safeParse(jsonOf(cursor));
  if (!parts.success) throw new CursorInvalid();
  return parts.data;
}

/** Makes a page of up to `limit` rows. The query must select one row more: it shows whether there is a next page. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (last: Row) => readonly (string | number)[],
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: last !== undefined && rows.length > limit ? encodeCursor(cursorOf(last)) : null };
}

/** The schema of a page of items, for the API's documentation. The item's schema needs a `.meta({ id })`. */
export function pageSchema(item: z.ZodType) {
  const id = item.meta()?.id;
  if (!id) throw new TypeError('The schema of a list item needs a .meta({ id })');
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() }).meta({ id: `${id}Page` });
}

function jsonOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw new CursorInvalid();
  }
}
