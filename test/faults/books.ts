import { grouped } from './grouped.js';
import type { LoadLog } from './load-log.js';
import type { Mail } from './mail-sink.js';
import type { Strike } from './nemesis.js';
import type { Rig } from './rig.js';

export interface Evidence {
  readonly rig: Rig;
  readonly log: LoadLog;
  readonly strikes: readonly Strike[];
  readonly complaints: readonly string[];
  /** Rows that said at some moment that more was sold than there was. */
  readonly oversold: readonly unknown[];
  readonly stuck: readonly unknown[];
  /** What was not as before when everything had been replayed; null: it was not. */
  readonly changedByReplay: readonly unknown[] | null;
}

export interface Order {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly lines: { readonly sku: string; readonly quantity: number }[];
}

/** A mail that somebody should have. */
export interface Owed {
  readonly key: string;
  readonly line: string;
  /** Its place in its line. */
  readonly rank: number;
  /** How often it was begun. */
  readonly runs: number;
  /** What its failed attempts left behind; null: nobody keeps a record. */
  readonly errors: readonly { readonly at: string; readonly name: string }[] | null;
  /** Null: no customer. */
  readonly recipient: string | null;
}

/** What is compared: what the clients were told, what the rows say, and what has come by mail. */
export interface Books extends Evidence {
  readonly orders: ReadonlyMap<string, Order>;
  readonly receipts: readonly { readonly reference: string; readonly quantity: number }[] | null;
  readonly owed: readonly Owed[];
  /** The copies of each mail, as they came. */
  readonly mails: ReadonlyMap<string, readonly Mail[]>;
}

export async function open(evidence: Evidence): Promise<Books> {
  const { postgres, subject, mail } = evidence.rig;
  return {
    ...evidence,
    orders: await ordersOf(evidence.rig),
    receipts: subject.receipts === null ? null : await postgres.sql(subject.receipts),
    owed: await postgres.sql(subject.owed),
    mails: grouped(mail.mails, (each) => subject.keyOf(each)),
  };
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
