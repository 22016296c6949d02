/** A process that stops waits for running requests, so they must not wait for longer. */
const WAIT_SECONDS_MAX = 5;

/**
 * The number of seconds for which a client prefers to wait for a final answer: `Prefer: wait=5`, RFC 7240.
 * Invalid preferences are ignored, as the RFC requires.
 */
export function waitSecondsOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?=$|[,;\s])/i.exec(prefer ?? '') ?? [];
  return Math.min(Number(seconds ?? 0), WAIT_SECONDS_MAX);
}

/** The response header with the wait that was applied. */
export function preferenceApplied(seconds: number): Record<string, string> {
  return seconds > 0 ? { 'preference-applied': `wait=${seconds}` } : {};
}
