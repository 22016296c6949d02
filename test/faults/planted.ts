import type { Edit } from '../support/builds.js';

/** A bug of other projects in a copy of the build. The campaign must detect it. */
export interface Planted {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Prefixes of the kinds of faults that reveal it. */
  readonly faults: readonly string[];
}

const DELIVERIES = 'backbone/delivery/deliveries.js';
const CLAIMS = 'backbone/delivery/claims.js';
const KEYS = 'common/idempotency/idempotent-request.js';
const RUNNER = 'backbone/delivery/delivery-runner.js';
const NOTIFICATIONS = 'notifications/notifications.service.js';
const TAKE_OVERDUE_CALL = 'return this.database.query(TAKE_OVERDUE, [subscribers, limitEach]);';

export const PLANTED: readonly Planted[] = [
  {
    name: 'the relay does not re-enqueue lost deliveries',
    edits: [
      {
        file: 'backbone/delivery/relay.js',
        replace: 'this.dispatcher.dispatch(overdue);',
        by: '',
      },
    ],
    faults: ['Redis flushed', 'process dies after-commit', 'Redis killed'],
  },
  {
    name: 'the relay ignores deliveries that were never claimed',
    edits: [{ file: DELIVERIES, replace: 'AND due_at < now()', by: 'AND due_at < now() AND claims > 0' }],
    faults: ['Redis flushed', 'process dies after-commit', 'Redis killed'],
  },
  {
    name: 'the relay reads on from a remembered position',
    edits: [
      {
        file: DELIVERIES,
        replace: TAKE_OVERDUE_CALL,
        by: `const sql = TAKE_OVERDUE.replace('due_at < now()', 'due_at < now() AND position > ' + (this.seen ?? 0));
             const rows = await this.database.query(sql + ', d.position::float8 AS position', [subscribers, limitEach]);
             this.seen = Math.max(this.seen ?? 0, ...rows.map(({ position }) => position));
             return rows;`,
      },
    ],
    faults: ['Redis flushed', 'mail server answers "try later"', 'Redis killed', 'process killed'],
  },
  {
    name: 'a delivery is done when it is claimed',
    edits: [
      {
        file: CLAIMS,
        replace: 'SET claims = d.claims + 1, attempts',
        by: `SET state = 'done', finished_at = clock_timestamp(), claims = d.claims + 1, attempts`,
      },
    ],
    faults: ['process killed', 'mail server answers "try later"'],
  },
  {
    name: 'a delivery does not wait for its predecessor',
    edits: [{ file: CLAIMS, replace: 'AND NOT ${BLOCKED}', by: '' }],
    faults: ['mail server answers "try later"', 'mail server accepts an e-mail and disconnects'],
  },
  {
    name: 'the e-mails of one order are in different partitions',
    edits: [{ file: 'notifications/notifications.reactions.js', replace: `orderingGroup: 'emails',`, by: '' }],
    faults: ['mail server answers "try later"', 'mail server accepts an e-mail and disconnects'],
  },
  {
    name: 'a delivery is dead after its first failure',
    edits: [
      {
        file: RUNNER,
        replace: 'error instanceof GiveUp || attempt >= attempts',
        by: 'true',
      },
    ],
    faults: ['mail server answers "try later"'],
  },
  {
    name: 'leases use the clock of the process',
    edits: [
      {
        file: CLAIMS,
        replace: 'sql.query(CLAIM, [',
        by: `sql.query(CLAIM.replaceAll('clock_timestamp()', "timestamptz '" + new Date().toISOString() + "'"), [`,
      },
    ],
    faults: ['process killed while its clock is wrong'],
  },
  {
    name: 'events are stored after the commit of their transaction',
    edits: [
      {
        file: 'backbone/publishing/unit-of-work.js',
        replace: 'const made = this.log.append(logged, session);',
        by: `const made = [];
             setTimeout(() => this.database.transaction('backbone', async (own) => this.log.append(logged, own))
               .then((refs) => this.dispatcher.dispatch(refs), () => undefined), 5);`,
      },
    ],
    faults: ['process dies after-commit', 'process killed', 'half of the backends terminated'],
  },
  {
    name: 'a COMMIT without an answer counts as committed',
    edits: [
      {
        file: 'common/database/database.js',
        replace: '!(await didCommit(trace, this.dataSource.manager, error))',
        by: 'false',
      },
    ],
    faults: ['COMMITs lost before they arrive'],
  },
  {
    name: 'the error of a reaction is swallowed',
    edits: [
      {
        file: 'backbone/publishing/in-transaction-dispatcher.js',
        replace: 'return handle(event, tx);',
        by: `return tx.manager.query('SAVEPOINT reaction').then(() => handle(event, tx))
               .catch(() => tx.manager.query('ROLLBACK TO SAVEPOINT reaction'));`,
      },
    ],
    faults: ['stock locked by another transaction', 'disk full'],
  },
  {
    name: 'an idempotency key is stored but not checked',
    edits: [
      { file: KEYS, replace: 'if (found?.fingerprint) {', by: 'if (false) {' },
      {
        file: KEYS,
        replace: 'VALUES ($1, $2, $3, $4, $5, $6)',
        by: 'VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING',
      },
    ],
    faults: ['answers to COMMIT lost', 'process killed'],
  },
  {
    name: 'an idempotency key is stored in a separate transaction',
    edits: [
      {
        file: 'backbone/publishing/unit-of-work.js',
        replace: 'idempotency?.keepAnswer(session, result);',
        by: `idempotency?.keepAnswer({ send: (sql, values) => void session.manager.dataSource.query(sql, values) }, result);`,
      },
    ],
    faults: ['process dies before-commit', 'COMMITs lost before they arrive'],
  },
  {
    name: 'stock is read without a lock and reserved later',
    edits: [
      { file: 'inventory/reservations.js', replace: ' FOR UPDATE OF s', by: '' },
      {
        file: 'inventory/reservations.js',
        replace: 'FROM level WHERE (SELECT enough FROM verdict)',
        by: 'FROM level WHERE (SELECT enough FROM verdict) AND pg_sleep(0.05) IS NOT NULL',
      },
      {
        file: 'inventory/migrations/1764000001000-create-inventory.js',
        replace: 'CHECK (reserved <= on_hand)',
        by: 'CHECK (true)',
      },
    ],
    faults: ['clock of a process jumps by hours', 'process killed'],
  },
  {
    name: 'an e-mail is recorded as sent before it is sent',
    edits: [
      {
        file: NOTIFICATIONS,
        replace: 'const answer = await this.send(',
        by: `await this.bookSuccess(id, 'sent'); const answer = await this.send(`,
      },
    ],
    faults: ['process killed', 'mail server answers "try later"'],
  },
  {
    name: 'every attempt uses a new Message-ID',
    edits: [{ file: NOTIFICATIONS, replace: '`<${id}.', by: '`<${uuidv7()}.' }],
    faults: ['process killed'],
  },
  {
    name: 'a later reaction commits before the end of its delivery',
    edits: [
      {
        file: RUNNER,
        replace: 'async (session) => assertOurs(await this.deliveries.finishIn(session, claim)));',
        by: 'async () => []);',
      },
      { file: RUNNER, replace: 'return [];', by: 'return assertOurs(await this.deliveries.finish(claim));' },
    ],
    faults: ['process dies after-commit', 'COMMITs lost before they arrive'],
  },
  {
    name: 'a delivery that is done can be claimed again',
    edits: [
      {
        file: CLAIMS,
        replace: 'WHERE ${IS_MEANT} AND d.claims = w.claims\n     AND e.id',
        by: 'WHERE d.event_id = w.event_id AND d.subscriber = w.subscriber AND e.id',
      },
    ],
    faults: ['process dies after-finish', 'process killed', 'process frozen for some seconds'],
  },
  {
    name: 'the database is closed before the requests end',
    edits: [{ file: 'backbone/program.js', replace: 'stops.splice(0).toReversed()', by: 'stops.splice(0)' }],
    faults: ['process stopped by SIGTERM'],
  },
  {
    name: 'a process ends at once on SIGTERM',
    edits: [{ file: 'backbone/run-program.js', replace: 'await program.stop().catch(fail);', by: '' }],
    faults: ['process stopped by SIGTERM'],
  },
  {
    name: 'an error is stored as the answer to an idempotency key',
    edits: [
      {
        file: 'backbone/publishing/unit-of-work.js',
        replace: 'if (run === RUNS_MAX || !isCollision(error))',
        by: `const once = 'kind' in error || error.name === 'AnsweredBefore' ? undefined : currentClaim();
             if (once) await this.database.transaction('backbone', async (own) => once.keepAnswer(own, error)).catch(() => undefined);
             if (run === RUNS_MAX || !isCollision(error))`,
      },
      {
        file: KEYS,
        replace: 'const answer = this.answerTo(result);',
        by: 'const answer = result instanceof Error ? { error: result.message } : this.answerTo(result);',
      },
    ],
    faults: ['stock locked by another transaction', 'disk full', 'half of the backends terminated'],
  },
];
