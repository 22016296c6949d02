/** No request keeps a stopping process waiting for longer. */
const WAIT_SECONDS_MAX = 5;

/**
 * For how many seconds a client would rather wait than get an answer that is not final: `Prefer: wait=5`, RFC 7240.
 * Preferences that make no sense are passed over, as the RFC has it.
 */
export function waitSecondsOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?=$|[,;\s])/i.exec(prefer ?? '') ?? [];
  return Math.min(Number(seconds ?? 0), WAIT_SECONDS_MAX);
}

/** Tells the client that its preference was heeded, and how far. */
export function preferenceApplied(seconds: number): Record<string, string> {
  return seconds > 0 ? { 'preference-applied': `wait=${seconds}` } : {};
}
