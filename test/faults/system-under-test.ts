import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVENTS_WITH_MESSAGE, INVARIANTS } from '../support/invariants.js';
import type { PostgresServer } from '../support/postgres-server.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Mail } from './mail-sink.js';

/** Clients pause while more deliveries are pending. Otherwise the backlog might never become empty after the faults. */
export const PENDING_MAX = 1_000;

interface Servers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

/** The program that the campaign tests, and the queries for its rows. */
export interface SystemUnderTest {
  readonly name: string;
  readonly main: string;
  /** Whether a repeated idempotency key gets the first answer again. */
  readonly keepsKeys: boolean;
  /** Path that answers 200 when a process is up. */
  readonly health: string;
  /** Values for CRASH_AT. */
  readonly crashPoints: readonly string[];
  /** The table whose rows every order has to lock. */
  readonly hotTable: string;
  /** Request of an operator after the faults that ends the pauses of failed deliveries, to save time. */
  readonly replayPending: { readonly path: string; readonly body: object } | null;
  /** Path of its reconciliation; null: it has none. */
  readonly reconciliation: string | null;
  /** Schemas whose rows must not change in a replay of the whole history; null: it has no replay. */
  readonly replayed: readonly string[] | null;
  /** Query for rows of { id, reference, status, sku, quantity }: every line of every order. */
  readonly lines: string;
  /** Some of the pending deliveries or jobs. */
  readonly backlog: (servers: Servers) => Promise<readonly unknown[]>;
  /** Number of pending deliveries or jobs, counted up to PENDING_MAX + 1; undefined: the server does not answer. */
  readonly pending: (servers: Servers) => Promise<number | undefined>;
  /** Some of the deliveries that are overdue. */
  readonly overdue: (servers: Servers) => Promise<readonly unknown[]>;
  /** Query for rows of { reference, quantity }: every receipt of stock; null: receipts have no references. */
  readonly receipts: string | null;
  /** Query for oversold rows of stock. It must be empty at any time. */
  readonly oversold: string;
  /** Query for rows of { key, partition, rank, runs, errors, recipient }: every owed e-mail. */
  readonly owed: string;
  /** The key of an e-mail in `owed`. */
  readonly keyOf: (mail: Mail) => string;
  /** Queries for the rows that violate an invariant when no delivery is pending, by name. */
  readonly invariants: Readonly<Record<string, string>>;
}

/** Further invariants of a campaign, in which the reference of each order is also its idempotency key. */
const KEYS_AND_LOCKS = {
  'an order and its key are stored together': `
    SELECT o.id, o.reference, k.key
      FROM orders."order" o
      FULL JOIN (SELECT key FROM backbone.idempotency_key WHERE route = 'POST /v1/orders') k ON k.key = o.reference
     WHERE o.id IS NULL OR k.key IS NULL`,

  'no delivery is leased when none is pending': `
    SELECT event_id, subscriber, lease_until FROM backbone.delivery WHERE lease_until IS NOT NULL`,

  'no transaction is left open': `
    SELECT pid, state, query FROM pg_stat_activity
     WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '30 seconds'`,
};

export function orderly(crashPoints: readonly string[], main = resolve('dist/main.js')): SystemUnderTest {
  return {
    name: 'Orderly',
    main,
    keepsKeys: true,
    health: '/health/live',
    crashPoints,
    hotTable: 'inventory.stock',
    replayPending: {
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
    pending: async ({ postgres }) => {
      const rows = await postgres.tryQuery<{ pending: number }>(`
        SELECT count(*)::integer AS pending
          FROM (SELECT FROM backbone.delivery WHERE state = 'pending' LIMIT ${PENDING_MAX + 1}) counted`);
      return rows?.[0]?.pending;
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
      SELECT e.id || '.' || expected.template AS key, e.subject AS partition, e.version AS rank, d.claims AS runs,
             d.errors, e.data -> 'customer' ->> 'email' AS recipient
        FROM backbone.event e JOIN ${EVENTS_WITH_MESSAGE} USING (type)
        JOIN backbone.delivery d ON d.event_id = e.id AND d.subscriber LIKE 'notifications.%'`,
    keyOf: ({ messageId }) => messageId.slice(1).split('@')[0] ?? '',
    invariants: { ...INVARIANTS, ...KEYS_AND_LOCKS },
  };
}

/**
 * The tutorial pattern: save, emit after the commit, add a job. It has no idempotency keys, event log or deliveries.
 */
export function tutorial(): SystemUnderTest {
  return {
    name: 'the tutorial pattern',
    main: fileURLToPath(new URL('tutorial/main.js', import.meta.url)),
    keepsKeys: false,
    health: '/health/ready',
    crashPoints: [],
    hotTable: 'product',
    replayPending: null,
    reconciliation: null,
    replayed: null,
    lines: `
      SELECT o.id, o.reference, o.status, l.sku, l.quantity FROM "order" o JOIN order_line l ON l."orderId" = o.id`,
    // Only the queue has pending work. BullMQ finds the job of a killed process within a minute.
    backlog: ({ redis }) => redis.jobs('tutorial:mail'),
    pending: async ({ redis }) => (await redis.jobs('tutorial:mail')).length,
    overdue: async () => [],
    receipts: null,
    oversold: 'SELECT sku, stock FROM product WHERE stock < 0',
    owed: `
      SELECT o.id || ' ' || expected.status AS key, o.id AS partition, expected.rank, 1000 AS runs, NULL AS errors,
             o."customerEmail" AS recipient
        FROM "order" o
        JOIN (VALUES ('rejected', 'rejected', 1), ('confirmed', 'confirmed', 1), ('cancelled', 'confirmed', 1),
                     ('shipped', 'confirmed', 1), ('cancelled', 'cancelled', 2), ('shipped', 'shipped', 2))
             AS expected(final, status, rank) ON expected.final = o.status`,
    keyOf: ({ subject }) => subject.replace(/^Order /, ''),
    invariants: {},
  };
}
