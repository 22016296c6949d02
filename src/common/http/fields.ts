import { z } from 'zod';

/**
 * Forbidden in texts: control characters (PostgreSQL cannot store NUL), lone surrogates (they have no UTF-8 encoding),
 * line separators, and bidirectional controls, which display a text differently from its characters.
 */
const HOSTILE = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** One line of text for people: trimmed, then 1 to `max` characters. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !HOSTILE.test(value), 'Give one line of text without control characters');

/** A stock keeping unit, the shop's name of a product. Case-sensitive. */
export const sku = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'Give 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first',
  )
  .meta({ description: 'Stock keeping unit, the name of a product', example: 'NW-11' });

const QUANTITY_MAX = 1_000_000;

/** The number of units of a product. */
export const quantity = z.int().min(1).max(QUANTITY_MAX);

/** SMTP delivers to addresses of at most 254 characters. */
export const email = z.email().max(254).meta({ example: 'maria@example.com' });

/** A time in a query, e.g. `2026-11-23T08:00:00Z`. */
export const isoTime = z.iso.datetime({ offset: true }).transform((time) => new Date(time));
