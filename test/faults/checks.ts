import { SCARCE_ON_HAND } from './catalogue.js';
import { grouped } from './grouped.js';
import type { LoadLog } from './load-log.js';
import type { Mail } from './mail-sink.js';
import type { Strike } from './nemesis.js';
import { invariantsOf, ownFindings } from './own-findings.js';
import type { Rig } from './rig.js';

/** A promise, and what breaks it. */
export interface Verdict {
  readonly promise: string;
  readonly broken: readonly unknown[];
}

export interface Evidence {
  readonly rig: Rig;
  readonly log: LoadLog;
  readonly strikes: readonly Strike[];
  readonly complaints: readonly string[];
  /** Rows that said at some moment that more was sold than there was. */
  readonly oversold: readonly unknown[];
  readonly stuck: readonly unknown[];
}

interface Order {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly lines: { readonly sku: string; readonly quantity: number }[];
}

interface Owed {
  readonly key: string;
  readonly line: string;
  readonly rank: number;
  readonly runs: number;
  /** What its failed attempts left behind. */
  readonly errors: unknown;
}

/** What is compared: what the clients were told, what the rows say, and what has come by mail. */
interface Books extends Evidence {
  readonly orders: ReadonlyMap<string, Order>;
  readonly owed: readonly Owed[];
  /** Of each mail, when it came, in order. */
  readonly mails: ReadonlyMap<string, readonly Mail[]>;
}

const SOLD = new Set(['confirmed', 'shipped', 'delivered']);

type Check = (books: Books) => readonly unknown[];

const CHECKS: Readonly<Record<string, Check>> = {
  'lost: acknowledged, and not there or not so': ({ log, orders }) => [
    ...[...log.intents.values()].filter(({ order }) => order && !orders.has(order.id)),
    ...log.wishes.filter(
      (wish) => wish.isDone && wish.what !== 'received' && orders.get(wish.of)?.status !== wish.what,
    ),
  ],

  'lost: mails that are owed and never came': ({ owed, mails }) => owed.filter(({ key }) => !mails.has(key)),

  'oversold: more sold than there was': ({ log, orders, oversold }) => {
    const sold = new Map<string, number>();
    for (const { status, lines } of orders.values())
      if (SOLD.has(status)) for (const { sku, quantity } of lines) sold.set(sku, (sold.get(sku) ?? 0) + quantity);
    const received = (sku: string) =>
      log.wishes
        .filter(({ what, of }) => what === 'received' && of === sku)
        .reduce((sum, each) => sum + each.quantity, 0);
    const scarce = [...sold].filter(([sku]) => sku.startsWith('SCARCE'));
    return [...oversold, ...scarce.filter(([sku, quantity]) => quantity > SCARCE_ON_HAND + received(sku))];
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

  'overtaken: mails of one order that came in the wrong order': ({ owed, mails }) =>
    [...grouped(owed, ({ line }) => line).values()].flatMap((line) => {
      const came = line.toSorted((a, b) => a.rank - b.rank).flatMap(({ key }) => mails.get(key)?.[0]?.at ?? []);
      return came.some((at, place) => at < (came[place - 1] ?? 0)) ? [line] : [];
    }),

  'twice: mails that came again and no fault explains it': ({ owed, mails, strikes }) =>
    owed.flatMap((each) => {
      const copies = (mails.get(each.key) ?? []).map(({ at }) => at);
      const isExplained =
        copies.length <= each.runs && strikesBetween(copies, strikes).some(({ explains }) => explains);
      if (copies.length < 2 || isExplained) return [];
      return [{ ...each, copies, strikes: strikesBetween(copies, strikes) }];
    }),

  'unresolved: clients that never got an answer': ({ log }) => [
    ...[...log.intents.values()].filter(({ order }) => !order),
    ...log.wishes.filter(({ isDone }) => !isDone),
  ],

  'contradicted: answers that were wrong': ({ log }) => log.contradictions,
  'stuck: still to be done when all was quiet': ({ stuck }) => stuck,
  'complaints: what else went wrong': ({ complaints }) => complaints,
};

/** Compares everything with everything, when all is quiet. */
export async function check(evidence: Evidence): Promise<Verdict[]> {
  const { rig } = evidence;
  const books = { ...evidence, orders: await ordersOf(rig), owed: await owedOf(rig), mails: mailsOf(rig) };
  const verdicts = Object.entries(CHECKS).map(([promise, broken]) => ({ promise, broken: broken(books) }));
  const itself = { promise: 'disagreed: what the shop itself finds wrong', broken: await ownFindings(rig) };
  return [...verdicts, itself, ...(await invariantsOf(rig))];
}

/** Mails that came again, by what the database has on record for them. */
export function repeatedMails({ mail, subject }: Rig): number {
  const keys = new Set(mail.mails.map((each) => subject.keyOf(each)));
  return mail.mails.length - keys.size;
}

/** What was broken, or had not recovered, at some time from the first copy to the last. */
function strikesBetween(copies: readonly number[], strikes: readonly Strike[]): Strike[] {
  const [first = 0] = copies;
  const last = copies.at(-1) ?? 0;
  return strikes.filter(({ startedAt, recoveredAt = last }) => startedAt <= last && recoveredAt >= first);
}

async function ordersOf({ postgres, subject }: Rig): Promise<Map<string, Order>> {
  type Row = Omit<Order, 'lines'> & { readonly sku: string; readonly quantity: number };
  const orders = new Map<string, Order>();
  for (const { id, reference, status, sku, quantity } of await postgres.sql<Row>(subject.lines)) {
    const order = orders.get(id) ?? { id, reference, status, lines: [] };
    order.lines.push({ sku, quantity });
    orders.set(id, order);
  }
  return orders;
}

function owedOf({ postgres, subject }: Rig): Promise<Owed[]> {
  return postgres.sql<Owed>(subject.owed);
}

function mailsOf({ mail, subject }: Rig): Map<string, Mail[]> {
  return grouped(mail.mails, (each) => subject.keyOf(each));
}
