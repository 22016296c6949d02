import { JsonMalformed } from './request-errors.js';

const DEPTH_MAX = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses JSON more strictly than JSON.parse, which keeps the last of two members with the same name, and accepts
 * nesting that overflows the stack of recursive code.
 * @throws {JsonMalformed}
 */
export function parseJson(body: Uint8Array): unknown {
  const text = decode(body);
  const { members, depth } = measure(text);
  if (depth > DEPTH_MAX) throw new JsonMalformed(`The JSON nests deeper than ${DEPTH_MAX} levels`);
  const value = parse(text);
  if (countMembers(value) < members) throw new JsonMalformed('An object has two fields of one name');
  return value;
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new JsonMalformed('The JSON is not encoded in UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonMalformed('This is not valid JSON');
  }
}

/** Counts the members and the levels of nesting of valid JSON. For other texts the result is not used. */
function measure(text: string): { members: number; depth: number } {
  let members = 0;
  let level = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) isQuoted = !isQuoted;
    else if (isQuoted && character === BACKSLASH) at++;
    else if (isQuoted) continue;
    else if (character === COLON) members++;
    else if (OPENING.has(character)) depth = Math.max(depth, ++level);
    else if (CLOSING.has(character)) level--;
  }
  return { members, depth };
}

/** Counts the members of a parsed value: fewer than in the text if two had the same name. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Object.hasOwn(value, '__proto__')) throw new JsonMalformed('A field must not be called __proto__');
  const children: unknown[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : children.length;
  return children.reduce<number>((sum, child) => sum + countMembers(child), own);
}
