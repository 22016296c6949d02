import { createHash } from 'node:crypto';

const LENGTH = 16;

/** What differs from one failure to the next of the same cause. In this order: what is found first is not looked at again. */
const INCIDENTAL = [
  /\S{0,100}@\S{1,100}|\b[a-z][a-z0-9+.-]{1,20}:\/\/\S{1,500}/gi, // addresses: e-mail, URL
  /(?<!\w)(["'`])(?:(?!\1).){0,500}\1(?!\w)|[“„«][^”“»]{0,500}[”“»]/gu, // quoted texts
  /[\w-]+(?:\.[\w-]+)+(?::\d+)?|\b[\w-]*\d[\w-]*\b/gu, // host names, and words with a digit: numbers, ids, SKUs
];

/**
 * The same for errors of the same cause: made of the name and of the message without its ids, numbers, quoted texts and
 * addresses, so that a mail server that is away is one group of dead deliveries and not thousands.
 */
export function fingerprintOf({ name, message }: { readonly name: string; readonly message: string }): string {
  const gist = INCIDENTAL.reduce((text, part) => text.replace(part, '…'), message).replace(/\s+/g, ' ');
  return createHash('sha256').update(`${name} ${gist.trim()}`).digest('hex').slice(0, LENGTH);
}
