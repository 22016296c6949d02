import { type Books, type Evidence, type Order, open } from './books.js';
import { cutOff } from './breaks.js';
import { SCARCE_ON_HAND } from './catalogue.js';
import { grouped } from './grouped.js';
import type { Intent, Wish } from './load-log.js';
import { invariantsOf, ownFindings } from './own-findings.js';
import { type RepeatedMail, repeatedMails } from './repeated-mails.js';

/** A promise, and what breaks it; null: this subject cannot be asked. */
export interface Verdict {
  readonly promise: string;
  readonly broken: readonly unknown[] | null;
}

const SOLD = new Set(['confirmed', 'shipped', 'delivered']);
/** What may have become of an order since its client was told of it. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  placed: ['placed', 'confirmed', 'rejected', 'cancelled', 'shipped'],
  confirmed: ['confirmed', 'cancelled', 'shipped'],
  rejected: ['rejected'],
};

/** The code of the refusal of a key that another request has had. */
const REUSED = 'idempotency-key-reused';

type Check = (books: Books) => readonly unknown[] | null;

const CHECKS: Readonly<Record<string, Check>> = {
  'lost: acknowledged, and not there or not so': ({ log, orders }) => [
    ...[...log.intents.values()].filter((intent) => intent.order && !isSo(intent, orders.get(intent.order.id))),
    ...log.wishes.filter(
      (wish) => wish.isDone && wish.what !== 'received' && orders.get(wish.of)?.status !== wish.what,
    ),
  ],

  'lost or twice: stock that was received': ({ log, receipts }) => {
    if (receipts === null) return null;
    const wishes = log.wishes.filter(({ what }) => what === 'received');
    const booked = grouped(receipts, ({ reference }) => reference);
    return [
      ...wishes.filter((wish) => wish.isDone && booked.get(wish.reference)?.[0]?.quantity !== wish.quantity),
      ...[...booked].filter(
        ([reference, rows]) => rows.length > 1 || !wishes.some((wish) => wish.reference === reference),
      ),
    ];
  },

  'lost: mails that are owed and never came': ({ rig, log, owed, mails }) => [
    ...owed.filter(
      ({ key, recipient }) => mails.get(key)?.some(({ to }) => recipient === null || to === recipient) !== true,
    ),
    ...[...log.intents.values()].filter(({ order, email }) => order && !rig.mail.knows(email)),
  ],

  'oversold: more sold than there was': ({ log, orders, oversold }) => {
    const sold = new Map<string, number>();
    for (const { status, lines } of orders.values())
      if (SOLD.has(status)) for (const { sku, quantity } of lines) sold.set(sku, (sold.get(sku) ?? 0) + quantity);
    const scarce = [...sold].filter(([sku]) => sku.startsWith('SCARCE'));
    return [
      ...oversold,
      ...scarce.filter(([sku, quantity]) => quantity > SCARCE_ON_HAND + receivedOf(sku, log.wishes)),
    ];
  },

  'ghosts: orders that nobody wanted, mails about nothing': ({ log, orders, owed, mails }) => {
    const keys = new Set(owed.map(({ key }) => key));
    return [
      ...[...orders.values()].filter(({ reference }) => !log.intents.has(reference)),
      ...[...mails.keys()].filter((key) => !keys.has(key)),
    ];
  },

  'twice: one wish, two orders': ({ orders }) => {
    const byReference = grouped(orders.values(), ({ reference }) => reference);
    return [...byReference].filter(([, same]) => same.length > 1).map(([reference]) => reference);
  },

  'twice: mails that came again and nothing explains it': (books) =>
    repeatedMails(books).filter(({ causes }) => causes.includes(undefined)),

  'overtaken: mails of one order that came in the wrong order': ({ rig, owed, mails }) => {
    const places = new Map(rig.mail.mails.map((mail, place) => [mail, place]));
    return [...grouped(owed, ({ line }) => line).values()].flatMap((line) => {
      const firsts = line.toSorted((a, b) => a.rank - b.rank).flatMap(({ key }) => mails.get(key)?.[0] ?? []);
      const came = firsts.map((mail) => places.get(mail) ?? 0);
      return came.some((place, nr) => place < (came[nr - 1] ?? 0)) ? [line] : [];
    });
  },

  'unresolved: clients that never got an answer': ({ log }) => [
    ...[...log.intents.values()].filter(({ order }) => !order),
    ...log.wishes.filter(({ isDone }) => !isDone),
  ],

  'misused: a key with another request, which was not refused': ({ rig, log }) =>
    rig.subject.keepsKeys ? log.misuses.filter(({ status, code }) => status !== 422 || code !== REUSED) : null,

  'contradicted: answers that were wrong': ({ log }) => log.contradictions,
  'cut off: accepted by a process that stopped, and not answered': ({ log, strikes }) => cutOff(log.breaks, strikes),
  'stuck: overdue, or still to be done when all was quiet': ({ stuck }) => stuck,
  'impure: what was changed by replaying everything': ({ changedByReplay }) => changedByReplay,
  'complaints: what else went wrong': ({ complaints }) => complaints,
};

/** Compares everything with everything, when all is quiet. */
export async function check(evidence: Evidence): Promise<{ verdicts: Verdict[]; repeated: RepeatedMail[] }> {
  const { rig } = evidence;
  const books = await open(evidence);
  const verdicts = Object.entries(CHECKS).map(([promise, broken]) => ({ promise, broken: broken(books) }));
  const itself = { promise: 'disagreed: what the shop itself finds wrong', broken: await ownFindings(rig) };
  return { verdicts: [...verdicts, itself, ...(await invariantsOf(rig))], repeated: repeatedMails(books) };
}

export function isBroken({ broken }: Verdict): boolean {
  return (broken?.length ?? 0) > 0;
}

/** Whether the order is the one that was acknowledged. */
function isSo({ reference, lines, order }: Intent, stored: Order | undefined): boolean {
  if (!order || stored?.reference !== reference) return false;
  return LATER[order.status]?.includes(stored.status) === true && textOf(lines) === textOf(stored.lines);
}

function textOf(lines: Order['lines'] | Intent['lines']): string {
  return lines
    .map(({ sku, quantity }) => `${quantity} ${sku}`)
    .toSorted()
    .join();
}

function receivedOf(sku: string, wishes: readonly Wish[]): number {
  const received = wishes.filter(({ what, of }) => what === 'received' && of === sku);
  return received.reduce((sum, { quantity }) => sum + quantity, 0);
}
