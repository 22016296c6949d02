import type { Logger } from '@nestjs/common';

/** An outage fails every request; one log line in this time is enough for each cause. */
const INTERVAL_MS = 30_000;
const KEYS_MAX = 1_000;

type Level = 'log' | 'warn' | 'error';

interface LogEntry {
  readonly message: string;
  /** Identifies the cause, where the message alone does not. Default: the message. */
  readonly key?: string;
  /** Fields of the log line. */
  readonly [field: string]: unknown;
}

interface Interval {
  until: number;
  suppressed: number;
}

const intervals = new Map<string, Interval>();

/**
 * Logs at most once in 30 seconds per cause. The field `suppressed` of the next line is the number of calls that were
 * not logged since the last one.
 */
export function logOccasionally(logger: Logger, level: Level, { message, key, ...fields }: LogEntry): void {
  const now = performance.now();
  const id = key ?? message;
  const last = intervals.get(id);
  if (last && now < last.until) {
    last.suppressed++;
    return;
  }
  intervals.delete(id);
  const [oldest] = intervals.keys();
  if (intervals.size >= KEYS_MAX && oldest !== undefined) intervals.delete(oldest);
  intervals.set(id, { until: now + INTERVAL_MS, suppressed: 0 });
  logger[level](message, { ...fields, suppressed: last?.suppressed ?? 0 });
}
