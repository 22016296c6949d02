import { grouped } from './grouped.js';
import type { Break } from './load-log.js';
import type { Injection } from './nemesis.js';

/** A broken connection is detected within this time. */
const NOTICED_MS = 2_000;

/** Counts the interrupted answers by the active fault. Of two active faults, the later one counts. */
export function breaksByFault(breaks: readonly Break[], injections: readonly Injection[]): Record<string, number> {
  const kindOf = ({ brokeAt }: Break) =>
    injections.findLast(
      ({ startedAt, healedAt = Number.POSITIVE_INFINITY }) => startedAt <= brokeAt && brokeAt <= healedAt + NOTICED_MS,
    )?.kind;
  const byKind = grouped(breaks, (each) => kindOf(each) ?? 'no fault');
  return Object.fromEntries([...byKind].map(([kind, all]) => [kind, all.length]));
}

/**
 * Requests without a complete answer that a process had received before its SIGTERM, or had begun to answer. Other
 * requests may be sent on an idle connection while the server closes it, a race that HTTP cannot prevent (RFC 9112,
 * 9.6).
 */
export function cutOff(breaks: readonly Break[], injections: readonly Injection[]): Break[] {
  const stops = injections.flatMap(({ stop }) => stop ?? []);
  return breaks.filter(({ app, sentAt, brokeAt, hasBegun }) =>
    stops.some(
      (stop) =>
        stop.app === app &&
        stop.receivedUntil <= brokeAt &&
        brokeAt <= stop.endedAt + NOTICED_MS &&
        (sentAt < stop.receivedUntil || hasBegun),
    ),
  );
}
