import type { Books, Owed } from './books.js';
import type { Mail } from './mail-sink.js';
import type { Strike } from './nemesis.js';

/** Whoever has sent a mail and is not cut off has written it down by then. */
const WRITTEN_DOWN_MS = 10_000;
/** The mail server and PostgreSQL look at the same clock, but not at the same moment. */
const MOMENT_MS = 1_000;

/** A mail that came more than once, and why, as far as anybody can tell. */
export interface RepeatedMail {
  readonly key: string;
  readonly at: readonly number[];
  /** For every copy but the last one: what kept its sender from writing it down; undefined: nothing is known. */
  readonly causes: readonly (string | undefined)[];
}

export function repeatedMails({ owed, mails, strikes }: Books): RepeatedMail[] {
  return owed.flatMap((each) => {
    const copies = mails.get(each.key) ?? [];
    if (copies.length < 2) return [];
    const causes = copies.slice(0, -1).map((copy, place) => causeOf(copy, copies[place + 1], each, strikes));
    return [
      { key: each.key, at: copies.map(({ at }) => at), causes: copies.length > each.runs ? [undefined] : causes },
    ];
  });
}

/**
 * Two witnesses have to agree: a fault that cuts senders off was there when the copy came or shortly after it, and the
 * delivery's own history has an attempt that failed between this copy and the next. An attempt that a stopping process
 * cut off is not counted, so of SIGTERM the fault alone knows.
 */
function causeOf(
  { at }: Mail,
  next: Mail | undefined,
  { errors }: Owed,
  strikes: readonly Strike[],
): string | undefined {
  const there = strikes.filter(
    ({ explains, startedAt, healedAt = startedAt, recoveredAt = healedAt }) =>
      explains && startedAt <= at + WRITTEN_DOWN_MS && recoveredAt >= at - MOMENT_MS,
  );
  if (there.length === 0) return undefined;
  const failed = errors?.find(({ at: time }) => {
    const then = Date.parse(time);
    return then >= at - MOMENT_MS && then <= (next?.at ?? at) + MOMENT_MS;
  });
  if (failed) return failed.name;
  if (errors === null) return there[0]?.kind;
  return there.find(({ kind }) => kind.includes('SIGTERM'))?.kind;
}
