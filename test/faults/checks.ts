import { cutOff } from './breaks.js';
import { SCARCE_ON_HAND } from './catalogue.js';
import { grouped } from './grouped.js';
import type { Change, Intent } from './load-log.js';
import { type Evidence, type Observations, type Order, observe } from './observations.js';
import { invariantsOf, ownFindings } from './own-findings.js';
import { type RepeatedMail, repeatedMails } from './repeated-mails.js';

/** A promise and its violations; null: the promise does not apply to this system. */
export interface Verdict {
  readonly promise: string;
  readonly broken: readonly unknown[] | null;
}

const SOLD = new Set(['confirmed', 'shipped', 'delivered']);
/** States that an order may have by now, by the state in the answer to its client. */
const POSSIBLE_STATES: Readonly<Record<string, readonly string[]>> = {
  placed: ['placed', 'confirmed', 'rejected', 'cancelled', 'shipped'],
  confirmed: ['confirmed', 'cancelled', 'shipped'],
  rejected: ['rejected'],
};

/** Problem code for a key that was used with another request. */
const REUSED = 'idempotency-key-reused';

type Check = (observations: Observations) => readonly unknown[] | null;

const CHECKS: Readonly<Record<string, Check>> = {
  'lost: acknowledged order or change is missing or different': ({ log, orders }) => [
    ...[...log.intents.values()].filter(
      (intent) => intent.order && !isAsAcknowledged(intent, orders.get(intent.order.id)),
    ),
    ...log.changes.filter(
      ({ isDone, kind, target }) => isDone && kind !== 'received' && orders.get(target)?.status !== kind,
    ),
  ],

  'lost or duplicated: receipt of stock': ({ log, receipts }) => {
    if (receipts === null) return null;
    const changes = log.changes.filter(({ kind }) => kind === 'received');
    const booked = grouped(receipts, ({ reference }) => reference);
    return [
      ...changes.filter((change) => change.isDone && booked.get(change.reference)?.[0]?.quantity !== change.quantity),
      ...[...booked].filter(
        ([reference, rows]) => rows.length > 1 || !changes.some((change) => change.reference === reference),
      ),
    ];
  },

  'lost: owed e-mail was never received': ({ rig, log, owed, mails }) => [
    ...owed.filter(
      ({ key, recipient }) => mails.get(key)?.some(({ to }) => recipient === null || to === recipient) !== true,
    ),
    ...[...log.intents.values()].filter(({ order, email }) => order && !rig.mail.hasReceived(email)),
  ],

  'oversold: more units sold than were in stock': ({ log, orders, oversold }) => {
    const sold = new Map<string, number>();
    for (const { status, lines } of orders.values())
      if (SOLD.has(status)) for (const { sku, quantity } of lines) sold.set(sku, (sold.get(sku) ?? 0) + quantity);
    const scarce = [...sold].filter(([sku]) => sku.startsWith('SCARCE'));
    return [
      ...oversold,
      ...scarce.filter(([sku, quantity]) => quantity > SCARCE_ON_HAND + receivedOf(sku, log.changes)),
    ];
  },

  'unexplained: order without a request, or e-mail without an event': ({ log, orders, owed, mails }) => {
    const keys = new Set(owed.map(({ key }) => key));
    return [
      ...[...orders.values()].filter(({ reference }) => !log.intents.has(reference)),
      ...[...mails.keys()].filter((key) => !keys.has(key)),
    ];
  },

  'duplicated: two orders for one request': ({ orders }) => {
    const byReference = grouped(orders.values(), ({ reference }) => reference);
    return [...byReference].filter(([, same]) => same.length > 1).map(([reference]) => reference);
  },

  'duplicated: e-mail received again without an explanation': (observations) =>
    repeatedMails(observations).filter(({ causes }) => causes.includes(undefined)),

  'out of sequence: e-mails of one order': ({ rig, owed, mails }) => {
    const arrivals = new Map(rig.mail.mails.map((mail, index) => [mail, index]));
    return [...grouped(owed, ({ partition }) => partition).values()].flatMap((emails) => {
      const firsts = emails.toSorted((a, b) => a.rank - b.rank).flatMap(({ key }) => mails.get(key)?.[0] ?? []);
      const received = firsts.map((mail) => arrivals.get(mail) ?? 0);
      return received.some((index, nr) => index < (received[nr - 1] ?? 0)) ? [emails] : [];
    });
  },

  'unresolved: client never received an answer': ({ log }) => [
    ...[...log.intents.values()].filter(({ order }) => !order),
    ...log.changes.filter(({ isDone }) => !isDone),
  ],

  'misused: used key with another request was not refused': ({ rig, log }) =>
    rig.system.keepsKeys ? log.misuses.filter(({ status, code }) => status !== 422 || code !== REUSED) : null,

  'wrong answer: 500, 503 without Retry-After, or another contradiction': ({ log }) => log.contradictions,
  'cut off: request accepted by a stopping process was not answered': ({ log, injections }) =>
    cutOff(log.breaks, injections),
  'stuck: delivery overdue, or still pending at the end of a round': ({ stuck }) => stuck,
  'replay: rows changed or e-mails sent by a replay of the history': ({ changedByReplay }) => changedByReplay,
  'problems: slow recovery, or unexpected end of a process': ({ problems }) => problems,
};

/** Checks all promises when all work is done. */
export async function check(evidence: Evidence): Promise<{ verdicts: Verdict[]; repeated: RepeatedMail[] }> {
  const { rig } = evidence;
  const observations = await observe(evidence);
  const verdicts = Object.entries(CHECKS).map(([promise, broken]) => ({ promise, broken: broken(observations) }));
  const own = { promise: 'reconciliation: findings of the system itself', broken: await ownFindings(rig) };
  return { verdicts: [...verdicts, own, ...(await invariantsOf(rig))], repeated: repeatedMails(observations) };
}

export function isBroken({ broken }: Verdict): boolean {
  return (broken?.length ?? 0) > 0;
}

/** Whether the stored order is the acknowledged one, in a possible state. */
function isAsAcknowledged({ reference, lines, order }: Intent, stored: Order | undefined): boolean {
  if (!order || stored?.reference !== reference) return false;
  return POSSIBLE_STATES[order.status]?.includes(stored.status) === true && textOf(lines) === textOf(stored.lines);
}

function textOf(lines: Order['lines'] | Intent['lines']): string {
  return lines
    .map(({ sku, quantity }) => `${quantity} ${sku}`)
    .toSorted()
    .join();
}

function receivedOf(sku: string, changes: readonly Change[]): number {
  const received = changes.filter(({ kind, target }) => kind === 'received' && target === sku);
  return received.reduce((sum, { quantity }) => sum + quantity, 0);
}
