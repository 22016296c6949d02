/** Fields that are never logged, down to the third level of nesting. */
const SECRET_FIELDS = ['password', 'authorization', 'cookie', 'set-cookie', 'token', 'secret', 'apiKey', 'x-api-key'];

/** Paths for pino's `redact`. */
export const secretPaths = SECRET_FIELDS.flatMap((field) => {
  const quoted = `["${field}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
});

/** Users and passwords of URLs such as `postgres://user:password@host/db`. */
const CREDENTIALS = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s"\\/@]{1,200}@/gi;

/**
 * An e-mail address in a line of JSON. The local part contains no backslash, and an escape sequence before it is
 * matched too: otherwise the letter of the escape would be taken for a part of the address, and the escape would be
 * broken.
 */
const EMAIL = /(\\(?:u[0-9a-f]{4}|.))?[^\s"\\<>()[\],;:@/]{1,100}@((?:[\p{L}\p{N}-]{1,63}\.)+\p{L}{2,})/giu;

/** Masks the local parts of e-mail addresses and the credentials of URLs in a line of JSON. */
export function maskPersonal(line: string): string {
  if (!line.includes('@')) return line;
  return line.replace(CREDENTIALS, '$1***@').replace(EMAIL, '$1***@$2');
}
