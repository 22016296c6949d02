import { grouped } from './grouped.js';
import type { LoadLog } from './load-log.js';
import type { Mail } from './mail-sink.js';
import type { Injection } from './nemesis.js';
import type { Rig } from './rig.js';

export interface Evidence {
  readonly rig: Rig;
  readonly log: LoadLog;
  readonly injections: readonly Injection[];
  readonly problems: readonly string[];
  /** Rows of stock that were oversold at any time during the campaign. */
  readonly oversold: readonly unknown[];
  readonly stuck: readonly unknown[];
  /** Differences after the replay of the whole history; null: there was no replay. */
  readonly changedByReplay: readonly unknown[] | null;
}

export interface Order {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly lines: { readonly sku: string; readonly quantity: number }[];
}

/** An e-mail that the system must send. */
export interface OwedEmail {
  readonly key: string;
  /** E-mails of one partition must be received in the sequence of their ranks. */
  readonly partition: string;
  readonly rank: number;
  /** Number of started attempts. */
  readonly runs: number;
  /** Errors of its failed attempts; null: the system does not record them. */
  readonly errors: readonly { readonly at: string; readonly name: string }[] | null;
  /** Null: the recipient is not a customer. */
  readonly recipient: string | null;
}

/** Everything that the checks compare: answers to the clients, rows of the database, and received e-mails. */
export interface Observations extends Evidence {
  readonly orders: ReadonlyMap<string, Order>;
  readonly receipts: readonly { readonly reference: string; readonly quantity: number }[] | null;
  readonly owed: readonly OwedEmail[];
  /** All copies of each e-mail, in the sequence of their arrival. */
  readonly mails: ReadonlyMap<string, readonly Mail[]>;
}

export async function observe(evidence: Evidence): Promise<Observations> {
  const { postgres, system, mail } = evidence.rig;
  return {
    ...evidence,
    orders: await ordersOf(evidence.rig),
    receipts: system.receipts === null ? null : await postgres.sql(system.receipts),
    owed: await postgres.sql(system.owed),
    mails: grouped(mail.mails, (each) => system.keyOf(each)),
  };
}

async function ordersOf({ postgres, system }: Rig): Promise<Map<string, Order>> {
  type Row = Omit<Order, 'lines'> & { readonly sku: string; readonly quantity: number };
  const orders = new Map<string, Order>();
  for (const { id, reference, status, sku, quantity } of await postgres.sql<Row>(system.lines)) {
    const order = orders.get(id) ?? { id, reference, status, lines: [] };
    order.lines.push({ sku, quantity });
    orders.set(id, order);
  }
  return orders;
}
