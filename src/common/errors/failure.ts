import { createHash } from 'node:crypto';
import { maskPersonal } from '../logging/redact.js';

const FINGERPRINT_LENGTH = 16;
const ERROR_TEXT_MAX = 2_000;

/**
 * Parts that differ between failures of the same cause. Applied in this sequence: a replaced part is not matched again.
 */
const VARIABLE_PARTS = [
  /\S{0,100}@\S{1,100}|\b[a-z][a-z0-9+.-]{1,20}:\/\/\S{1,500}/gi, // addresses: e-mail, URL
  /(?<!\w)(["'`])(?:(?!\1).){0,500}\1(?!\w)|[“„«][^”“»]{0,500}[”“»]/gu, // quoted texts
  /[\w-]+(?:\.[\w-]+)+(?::\d+)?|\b[\w-]*\d[\w-]*\b/gu, // host names, and words with a digit: numbers, ids, SKUs
];

/**
 * Equal for errors of the same cause: a hash of the name and of the message without ids, numbers, quoted texts
 * and addresses. So an outage of the mail server is one group of dead deliveries instead of thousands.
 */
export function errorFingerprint({ name, message }: { readonly name: string; readonly message: string }): string {
  const pattern = VARIABLE_PARTS.reduce((text, part) => text.replace(part, '…'), message).replace(/\s+/g, ' ');
  return createHash('sha256').update(`${name} ${pattern.trim()}`).digest('hex').slice(0, FINGERPRINT_LENGTH);
}

/** Error text that can be stored: masked, without the NUL that PostgreSQL refuses, and of limited length. */
export function storableText(text: unknown): string {
  return maskPersonal(String(text)).replaceAll('\0', '').slice(0, ERROR_TEXT_MAX);
}

interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The pause after a failed attempt: it doubles from the first up to the longest, and half of it is random, so that
 * deliveries that failed together are not retried together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter ("equal jitter").
 *
 * @param attempt the failed attempt, from 1
 * @param random from 0 to 1
 */
export function retryPauseMs(attempt: number, { firstMs, maxMs }: Backoff, random = Math.random()): number {
  const pause = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return Math.round(pause / 2 + (pause / 2) * random);
}
