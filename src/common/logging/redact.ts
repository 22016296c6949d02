/** Fields that are never written, down to the third level. */
const SECRET_FIELDS = ['password', 'authorization', 'cookie', 'set-cookie', 'token', 'secret', 'apiKey', 'x-api-key'];

/** For pino's `redact`. */
export const secretPaths = SECRET_FIELDS.flatMap((field) => {
  const quoted = `["${field}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
});

/** Users and passwords of URLs such as `postgres://user:password@host/db`. */
const CREDENTIALS = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s"\\/@]{1,200}@/gi;

/**
 * The name in an e-mail address. It ends before a backslash, so in a line of JSON no escape sequence is torn apart;
 * the escape's letter may be eaten, which is why one before the name is matched along with it.
 */
const EMAIL = /(\\(?:u[0-9a-f]{4}|.))?[^\s"\\<>()[\],;:@/]{1,100}@((?:[\p{L}\p{N}-]{1,63}\.)+\p{L}{2,})/giu;

/** Masks who is meant by an e-mail address or a URL in a line of JSON, wherever in it. */
export function maskPersonal(line: string): string {
  if (!line.includes('@')) return line;
  return line.replace(CREDENTIALS, '$1***@').replace(EMAIL, '$1***@$2');
}
