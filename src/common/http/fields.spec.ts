import type { z } from 'zod';
import { email, isoTime, quantity, sku, text } from './fields.js';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

test('a text is trimmed and has a maximum length', () => {
  expect(text(5).parse(' Chai\n')).toBe('Chai');
  expect(accepts(text(4), 'Chais')).toBe(false);
});

test.each(['', ' ', 'a\nb', 'a\0', 'a\u007f', 'a\u2028b', '\ud800', 'a\udc00', 'a\u202e', 'a\u2066', 5, null])(
  '%j is not a text',
  (value) => expect(accepts(text(5), value)).toBe(false),
);

test.each(['NW-11', 'a', '0.x_y-z', 'x'.repeat(64)])('%s is a SKU', (value) => expect(accepts(sku, value)).toBe(true));

test.each(['', '-a', 'a b', 'a/b', 'ä', 'x'.repeat(65), 'a\n', '../a'])('%j is not a SKU', (value) =>
  expect(accepts(sku, value)).toBe(false),
);

test.each([0, -0, -1, 1.5, 1_000_001, 2 ** 53, Infinity, NaN, '1'])('%p is not a quantity', (value) =>
  expect(accepts(quantity, value)).toBe(false),
);

test.each(['maria@example.com', `${'x'.repeat(60)}@example.com`])('%s is an e-mail address', (value) =>
  expect(accepts(email, value)).toBe(true),
);

test.each([
  'maria',
  'maria@localhost',
  'maria@example.com\r\nBcc: all@example.com',
  'a\0@example.com',
  `a@${'x.'.repeat(130)}com`,
])('%j is not an e-mail address', (value) => expect(accepts(email, value)).toBe(false));

test('a time without a time zone is refused', () => {
  expect(isoTime.parse('2026-11-23T09:00:00+01:00')).toEqual(new Date('2026-11-23T08:00:00Z'));
  expect(accepts(isoTime, '2026-11-23T09:00:00')).toBe(false);
});
