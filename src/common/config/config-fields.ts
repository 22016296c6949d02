import { z } from 'zod';

/** A setting that is `on` or `off`. */
export const flag = z.enum(['on', 'off']);

/** A whole number from `min` to `max`, both inclusive. */
export const wholeNumber = (min: number, max: number) => {
  const message = `Give a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
};

/** A URL of one of these protocols. */
export const urlOf = (...protocols: string[]) => {
  const startsWith = protocols.map((protocol) => `${protocol}://`);
  return z
    .string()
    .refine(
      (value) => startsWith.some((start) => value.startsWith(start) && value.length > start.length),
      `Give a URL that starts with ${startsWith.join(' or ')}`,
    )
    .meta({ startsWith });
};

/** An e-mail address, optionally with a display name: `Our Shop <shop@example.com>`. */
export const mailSender = z
  .string()
  .regex(
    /^([^<>]*<[^\s<>,;@]+@[^\s<>,;@]+>|[^\s<>,;@]+@[^\s<>,;@]+)$/,
    'Give a sender such as "Our Shop <shop@example.com>"',
  );

/** A short name that may be a part of other names. */
export const slug = z.string().regex(/^[a-z0-9_-]{1,32}$/, 'Give 1 to 32 of a-z, 0-9, _ and -');
