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
