import { z } from 'zod';

/** Something that is on or off. */
export const flag = z.enum(['on', 'off']);

/** A whole number between bounds, which belong to the range. */
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

/** An address, with the name that its mails show where there is one. */
export const mailSender = z
  .string()
  .regex(
    /^([^<>]*<[^\s<>,;@]+@[^\s<>,;@]+>|[^\s<>,;@]+@[^\s<>,;@]+)$/,
    'Give a sender such as "Our Shop <shop@example.com>"',
  );

/** A short name that fits into other names. */
export const slug = z.string().regex(/^[a-z0-9_-]{1,32}$/, 'Give 1 to 32 of a-z, 0-9, _ and -');
