const KEYS_MAX = 1_000;

interface Quiet {
  until: number;
  suppressed: number;
}

const quiet = new Map<string, Quiet>();

/**
 * Logs at most once per key and interval, so that an outage is one line and not one per request. The log gets the
 * number of times that were passed over since it last spoke.
 */
export function logSparingly(key: string, intervalMs: number, log: (suppressed: number) => void): void {
  const now = performance.now();
  const last = quiet.get(key);
  if (last && now < last.until) {
    last.suppressed++;
    return;
  }
  quiet.delete(key);
  const [oldest] = quiet.keys();
  if (quiet.size >= KEYS_MAX && oldest !== undefined) quiet.delete(oldest);
  quiet.set(key, { until: now + intervalMs, suppressed: 0 });
  log(last?.suppressed ?? 0);
}
