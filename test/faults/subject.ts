import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INVARIANTS, TOLD } from '../support/invariants.js';
import type { PostgresServer } from '../support/postgres-server.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Mail } from './mail-sink.js';

/** Clients order no more while so much waits: a shop that falls ever further behind is never quiet again. */
export const AHEAD_MAX = 1_000;

interface Servers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

/** A program that is put through the campaign: where it is, and what its rows should say. */
export interface Subject {
  readonly name: string;
  readonly main: string;
  /** Whether a request that repeats its key gets its first answer. */
  readonly keepsKeys: boolean;
  /** Answers 200 when it is up. */
  readonly health: string;
  /** Where it can be told to die. */
  readonly crashPoints: readonly string[];
  /** The table whose rows every order has to lock. */
  readonly hotTable: string;
  /** What an operator asks of it when the faults are over, so that nobody waits for the end of a pause. */
  readonly hurry: { readonly path: string; readonly body: object } | null;
  /** Where it is asked what it finds wrong with itself; null: it never looks. */
  readonly reconciliation: string | null;
  /** The schemas whose rows stay as they are when everything is replayed; null: it cannot be. */
  readonly replayed: readonly string[] | null;
  /** Gives rows of { id, reference, status, sku, quantity }: every line of every order. */
  readonly lines: string;
  /** Some of what still has to be done, as far as anything knows. */
  readonly backlog: (servers: Servers) => Promise<readonly unknown[]>;
  /** How much of it there is, up to a bit more than clients may be ahead; undefined: nobody can tell at the moment. */
  readonly waiting: (servers: Servers) => Promise<number | undefined>;
  /** Some of what somebody should have taken up by now. */
  readonly overdue: (servers: Servers) => Promise<readonly unknown[]>;
  /** Gives rows of { reference, quantity }: every receipt of stock that bears a reference; null: they bear none. */
  readonly receipts: string | null;
  /** Gives the rows that say that more is sold than there is, at any moment. */
  readonly oversold: string;
  /** Gives rows of { key, line, rank, runs, errors, recipient }: every mail that is owed, its place in its line, its attempts. */
  readonly owed: string;
  /** What a mail is called in `owed`. */
  readonly keyOf: (mail: Mail) => string;
  /** What holds when all is quiet: each gives the rows that break it. */
  readonly invariants: Readonly<Record<string, string>>;
}

/** What holds besides where every order has come with its reference as its key. */
const KEYS_AND_LOCKS = {
  'an order and its key are stored together': `
    SELECT o.id, o.reference, k.key
      FROM orders."order" o
      FULL JOIN (SELECT key FROM backbone.idempotency_key WHERE route = 'POST /v1/orders') k ON k.key = o.reference
     WHERE o.id IS NULL OR k.key IS NULL`,

  'nobody holds a delivery when none is left': `
    SELECT event_id, subscriber, lease_until FROM backbone.delivery WHERE lease_until IS NOT NULL`,

  'nobody holds a transaction open': `
    SELECT pid, state, query FROM pg_stat_activity
     WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '30 seconds'`,
};

export function orderly(crashPoints: readonly string[], main = resolve('dist/main.js')): Subject {
  return {
    name: 'Orderly',
    main,
    keepsKeys: true,
    health: '/health/live',
    crashPoints,
    hotTable: 'inventory.stock',
    hurry: {
      path: '/v1/operations/deliveries/replay',
      body: { filter: { state: 'pending' }, reason: 'The faults are over' },
    },
    reconciliation: '/v1/operations/reconciliation',
    replayed: ['orders', 'inventory', 'notifications'],
    lines: `
      SELECT o.id, o.reference, o.status, l.sku, l.quantity
        FROM orders."order" o JOIN orders.order_line l ON l.order_id = o.id`,
    backlog: ({ postgres }) =>
      postgres.sql(`SELECT event_id, subscriber, errors FROM backbone.delivery WHERE state = 'pending' LIMIT 10`),
    waiting: async ({ postgres }) => {
      const rows = await postgres.tryToSee<{ waiting: number }>(`
        SELECT count(*)::integer AS waiting
          FROM (SELECT FROM backbone.delivery WHERE state = 'pending' LIMIT ${AHEAD_MAX + 1}) counted`);
      return rows?.[0]?.waiting;
    },
    overdue: ({ postgres }) =>
      postgres.sql(`
        SELECT event_id, subscriber, due_at FROM backbone.delivery
         WHERE state = 'pending' AND greatest(due_at, lease_until) < clock_timestamp() - interval '10 seconds' LIMIT 10`),
    receipts: `
      SELECT reason AS reference, change::integer AS quantity FROM inventory.movement
       WHERE kind = 'receipt' AND reason LIKE 'receipt-%'`,
    oversold: `SELECT sku, on_hand, reserved FROM inventory.stock WHERE reserved < 0 OR reserved > on_hand`,
    owed: `
      SELECT e.id || '.' || told.template AS key, e.subject AS line, e.version AS rank, d.claims AS runs,
             d.errors, e.data -> 'customer' ->> 'email' AS recipient
        FROM backbone.event e JOIN ${TOLD} USING (type)
        JOIN backbone.delivery d ON d.event_id = e.id AND d.subscriber LIKE 'notifications.%'`,
    keyOf: ({ messageId }) => messageId.slice(1).split('@')[0] ?? '',
    invariants: { ...INVARIANTS, ...KEYS_AND_LOCKS },
  };
}

/** What tutorials teach: save, emit after the commit, add a job. It has no keys, no log of events and no deliveries. */
export function tutorial(): Subject {
  return {
    name: 'the tutorial pattern',
    main: fileURLToPath(new URL('tutorial/main.js', import.meta.url)),
    keepsKeys: false,
    health: '/health/ready',
    crashPoints: [],
    hotTable: 'product',
    hurry: null,
    reconciliation: null,
    replayed: null,
    lines: `
      SELECT o.id, o.reference, o.status, l.sku, l.quantity FROM "order" o JOIN order_line l ON l."orderId" = o.id`,
    // The queue is all that knows; a job of a killed process is found by BullMQ within a minute.
    backlog: ({ redis }) => redis.jobs('tutorial:mail'),
    waiting: async ({ redis }) => (await redis.jobs('tutorial:mail')).length,
    overdue: async () => [],
    receipts: null,
    oversold: 'SELECT sku, stock FROM product WHERE stock < 0',
    owed: `
      SELECT o.id || ' ' || told.status AS key, o.id AS line, told.rank, 1000 AS runs, NULL AS errors,
             o."customerEmail" AS recipient
        FROM "order" o
        JOIN (VALUES ('rejected', 'rejected', 1), ('confirmed', 'confirmed', 1), ('cancelled', 'confirmed', 1),
                     ('shipped', 'confirmed', 1), ('cancelled', 'cancelled', 2), ('shipped', 'shipped', 2))
             AS told(became, status, rank) ON told.became = o.status`,
    keyOf: ({ subject }) => subject.replace(/^Order /, ''),
    invariants: {},
  };
}
