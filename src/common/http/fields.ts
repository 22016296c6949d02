import { z } from 'zod';

/**
 * What no line of text may contain: control characters (PostgreSQL cannot store NUL), halves of surrogate pairs (no
 * UTF-8 exists for them), line separators, and the bidi controls that make a text read as something else.
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

/** A stock keeping unit: what the shop calls a product. Case matters. */
export const sku = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'Give 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first',
  )
  .meta({ description: 'Stock keeping unit, the name of a product', example: 'NW-11' });

const QUANTITY_MAX = 1_000_000;

/** Pieces of a product. */
export const quantity = z.int().min(1).max(QUANTITY_MAX);

/** The longest address that SMTP can deliver to has 254 characters. */
export const email = z.email().max(254).meta({ example: 'maria@example.com' });

/** A moment in a query, e.g. `2026-11-23T08:00:00Z`. */
export const isoTime = z.iso.datetime({ offset: true }).transform((time) => new Date(time));
