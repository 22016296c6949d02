import { grouped } from './grouped.js';
import type { Break } from './load-log.js';
import type { Strike } from './nemesis.js';

/** A connection that breaks is noticed by then. */
const NOTICED_MS = 2_000;

/** How many answers broke off while each kind of fault was on; of two at once the later one counts. */
export function breaksByFault(breaks: readonly Break[], strikes: readonly Strike[]): Record<string, number> {
  const kindOf = ({ brokeAt }: Break) =>
    strikes.findLast(
      ({ startedAt, healedAt = Number.POSITIVE_INFINITY }) => startedAt <= brokeAt && brokeAt <= healedAt + NOTICED_MS,
    )?.kind;
  const byKind = grouped(breaks, (each) => kindOf(each) ?? 'no fault');
  return Object.fromEntries([...byKind].map(([kind, all]) => [kind, all.length]));
}

/**
 * Requests that a process had heard before it was told to stop, or had begun to answer, and that it left without their
 * answer. Others may meet a connection that is being closed as idle: HTTP has no word against that.
 */
export function cutOff(breaks: readonly Break[], strikes: readonly Strike[]): Break[] {
  const stops = strikes.flatMap(({ stop }) => stop ?? []);
  return breaks.filter(({ app, sentAt, brokeAt, hasBegun }) =>
    stops.some(
      (stop) =>
        stop.app === app &&
        stop.heardAt <= brokeAt &&
        brokeAt <= stop.endedAt + NOTICED_MS &&
        (sentAt < stop.heardAt || hasBegun),
    ),
  );
}
