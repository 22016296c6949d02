import type { Mail } from './mail-sink.js';
import type { Injection } from './nemesis.js';
import type { Observations, OwedEmail } from './observations.js';

/** A sender that is not interrupted has recorded its e-mail within this time. */
const RECORDED_WITHIN_MS = 10_000;
/** The mail server and PostgreSQL use the same clock, but read it at different times. */
const TOLERANCE_MS = 1_000;

/** An e-mail that was received more than once, and the known causes. */
export interface RepeatedMail {
  readonly key: string;
  readonly at: readonly number[];
  /** For every copy but the last one, what prevented its record; undefined: unknown. */
  readonly causes: readonly (string | undefined)[];
}

export function repeatedMails({ owed, mails, injections }: Observations): RepeatedMail[] {
  return owed.flatMap((each) => {
    const copies = mails.get(each.key) ?? [];
    if (copies.length < 2) return [];
    const causes = copies.slice(0, -1).map((copy, place) => causeOf(copy, copies[place + 1], each, injections));
    return [
      { key: each.key, at: copies.map(({ at }) => at), causes: copies.length > each.runs ? [undefined] : causes },
    ];
  });
}

/**
 * Requires two independent explanations: a fault that interrupts senders was active when the copy arrived or shortly
 * after, and the history of the delivery has an attempt that failed between this copy and the next. An attempt that
 * SIGTERM aborts is not in the history, so for SIGTERM the fault alone is enough.
 */
function causeOf(
  { at }: Mail,
  next: Mail | undefined,
  { errors }: OwedEmail,
  injections: readonly Injection[],
): string | undefined {
  const active = injections.filter(
    ({ explainsDuplicates, startedAt, healedAt = startedAt, recoveredAt = healedAt }) =>
      explainsDuplicates && startedAt <= at + RECORDED_WITHIN_MS && recoveredAt >= at - TOLERANCE_MS,
  );
  if (active.length === 0) return undefined;
  const failed = errors?.find(({ at: time }) => {
    const then = Date.parse(time);
    return then >= at - TOLERANCE_MS && then <= (next?.at ?? at) + TOLERANCE_MS;
  });
  if (failed) return failed.name;
  if (errors === null) return active[0]?.kind;
  return active.find(({ kind }) => kind.includes('SIGTERM'))?.kind;
}
