import { z } from 'zod';
import { decodeCursor, encodeCursor, pageOf, pageQuery, pageSchema } from './pagination.js';
import { CursorInvalid } from './request-errors.js';

const sortKey = z.tuple([z.iso.datetime(), z.uuid()]);
const at: [string, string] = ['2026-11-23T08:00:00Z', '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b'];

test('a decoded cursor is equal to the encoded sort key', () => {
  expect(decodeCursor(encodeCursor(at), sortKey)).toEqual(at);
});

test.each(['', 'x', '%00', 'bnVsbA', encodeCursor([1, 2]), encodeCursor([...at, 3]), encodeCursor(at).slice(1)])(
  '%j is not a cursor of this list',
  (cursor) => expect(() => decodeCursor(cursor, sortKey)).toThrow(CursorInvalid),
);

test('a row beyond the limit is not on the page, and makes a cursor for the next one', () => {
  const page = pageOf([9, 8, 7], 2, (row) => [row]);
  expect(page).toEqual({ items: [9, 8], nextCursor: encodeCursor([8]) });
});

test('the last page has no cursor', () => {
  expect(pageOf([9, 8], 2, (row) => [row])).toEqual({ items: [9, 8], nextCursor: null });
  expect(pageOf([], 2, () => [])).toEqual({ items: [], nextCursor: null });
});

test('the default limit is 50', () => {
  const query = z.strictObject(pageQuery);
  expect(query.parse({})).toEqual({ limit: 50 });
  expect(query.parse({ limit: '200', cursor: 'x' })).toEqual({ limit: 200, cursor: 'x' });
});

test('the schema of a page is named after its items', () => {
  expect(pageSchema(z.object({}).meta({ id: 'Pencil' })).meta()).toMatchObject({ id: 'PencilPage' });
  expect(() => pageSchema(z.object({}))).toThrow(TypeError);
});
