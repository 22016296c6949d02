import { randomUUID } from 'node:crypto';
import { MODULES } from '../src/app.module.js';
import { Subscriptions } from '../src/backbone/registry/subscriptions.js';
import { ageRows, olderId } from '../src/backbone/testing/age-rows.js';
import { Database } from '../src/common/database/database.js';
import { RetentionRunner } from '../src/common/retention/retention.js';
import { type RowCheck } from '../src/operations/checks.js';
import { CheckRegistry } from '../src/operations/reconciliation/check-registry.js';
import { HandledEvents } from '../src/operations/reconciliation/handled-events.js';
import { Reconciler } from '../src/operations/reconciliation/reconciler.js';
import { ReconciliationRun, type RunOptions } from '../src/operations/reconciliation/reconciliation-run.js';
import { repairCandidates } from '../src/operations/reconciliation/repair.js';
import { Reports } from '../src/operations/reconciliation/reports.js';
import { ModuleStage } from '../src/operations/testing/module-stage.js';
import { OrderCancelled } from '../src/orders/orders.events.js';
import { anOrder, aProduct } from './support/words.js';

let shop: ModuleStage;

beforeAll(async () => {
  shop = await ModuleStage.of(MODULES, { RECONCILE_EVERY_MINUTES: '0', RECONCILE_GRACE_SECONDS: '0' });
});

afterAll(() => shop.close());

beforeEach(async () => {
  await damage(`TRUNCATE backbone.event, backbone.delivery, backbone.pruned_delivery, backbone.operation,
                         backbone.reconciliation, orders."order", orders.order_line, orders.price, inventory.product,
                         inventory.stock, inventory.movement, inventory.reservation, notifications.message,
                         notifications.mailbox_mail, notifications.newest_forgotten`);
  const products = ['TEA', 'CUP', 'POT', 'RARE'].map((sku) => aProduct(sku, sku === 'RARE' ? 1 : 100));
  await shop.post('/v1/products/import', products.map((product) => JSON.stringify(product)).join('\n'));
});

interface Finding {
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
  readonly delivery: string | null;
}

const place = async (sku = 'TEA', quantity = 1): Promise<string> =>
  (await shop.post('/v1/orders', anOrder([{ sku, quantity }]))).body.id;
const cancel = (id: string) => shop.post(`/v1/orders/${id}/cancellation`, { reason: 'changed plans' });
const ship = (id: string) => shop.post(`/v1/orders/${id}/shipment`, { carrier: 'Speedy', trackingNumber: 'SE-1' });

/** Places an order of every state, and runs all deliveries. */
async function ordersOfEveryState() {
  const [confirmed, cancelled, shipped, delivered] = [await place(), await place(), await place(), await place()];
  const rejected = await place('RARE', 2);
  await cancel(cancelled);
  for (const id of [shipped, delivered]) await ship(id);
  await shop.post(`/v1/orders/${delivered}/delivery`, {});
  await shop.runDeliveries();
  return { confirmed, cancelled, shipped, delivered, rejected };
}

/** Changes rows without triggers, like a manual change that causes a mismatch. */
const damage = (sql: string, ...parameters: readonly unknown[]): Promise<void> =>
  shop.dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL session_replication_role = replica');
    await manager.query(sql, [...parameters]);
  });

/** Runs a complete reconciliation, and returns its findings by check. */
async function findings(): Promise<Record<string, Finding[]>> {
  const { status, body } = await shop.post('/v1/operations/reconciliation');
  if (status !== 200) throw new Error(JSON.stringify(body));
  const found = body.checks.filter((each: { found: number }) => each.found > 0);
  return Object.fromEntries(found.map((each: { check: string; findings: Finding[] }) => [each.check, each.findings]));
}

const repair = async (body: object) => (await shop.post('/v1/operations/reconciliation/repair', body)).body;
const eventOf = async (subject: string, type: string): Promise<string> =>
  (await shop.get(`/v1/events?subject=${subject}&type=${type}`)).body.items[0].id;

describe('a correct shop', () => {
  test('has no findings, and every check has read rows', async () => {
    await ordersOfEveryState();

    expect(await findings()).toEqual({});

    const { body } = await shop.get('/v1/operations/reconciliation');
    expect(body).toMatchObject({ running: false, found: 0, repairable: 0, finishedAt: expect.stringMatching(/Z$/) });
    const hasRead = body.checks.map(({ check, lookedAt }: { check: string; lookedAt: number }) => [
      check,
      lookedAt > 0,
    ]);
    expect(hasRead).toEqual([
      ['backbone.events-are-delivered', true],
      ['backbone.versions-are-dense', true],
      ['inventory.levels-are-their-ledgers', true],
      ['inventory.reservations-are-as-last-said', true],
      ['inventory.reservations-follow-orders', true],
      ['inventory.reserved-is-held', true],
      ['notifications.outcomes-are-told-once', true],
      ['orders.are-settled', false],
      ['orders.heed-inventory', true],
      ['orders.last-events-tell-their-states', true],
    ]);
    expect((await shop.get('/metrics')).body).toMatch(
      /^orderly_reconciliation_findings\{check="orders.heed-inventory"\} 0$/m,
    );
  });

  test('has no findings for work that is pending, dead or skipped', async () => {
    await ordersOfEveryState();
    const [waiting, dead, skipped] = [await place(), await place(), await place()];
    const states = { [dead]: `state = 'dead'`, [skipped]: `state = 'skipped', finished_at = now()` };
    for (const [id, state] of Object.entries(states))
      await shop.query(`UPDATE backbone.delivery SET ${state} WHERE order_key LIKE '%' || $1`, [id]);
    await shop.receiveAsDeliveries(
      OrderCancelled({ orderId: waiting, customer: { name: 'Maria', email: 'maria@example.com' }, reason: 'late' }),
    );
    await shop.query(`UPDATE orders."order" SET status = 'cancelled', version = 3 WHERE id = $1`, [waiting]);

    expect(await findings()).toEqual({});
  });

  test('has no findings for pruned deliveries, nor for events from before a subscriber existed', async () => {
    await ordersOfEveryState();
    await ageRows(40, shop.dataSource);
    await shop.app.get(RetentionRunner).prune();
    await ordersOfEveryState();
    await damage(`DELETE FROM backbone.pruned_delivery WHERE subscriber = 'notifications.emailDelivery'`);

    expect(await shop.query('SELECT FROM backbone.pruned_delivery')).not.toEqual([]);
    expect(await findings()).toEqual({});
  });
});

describe('messages that were deleted by retention', () => {
  test('are not reported as lost when the retention is longer now', async () => {
    const days = { KEEP_DELIVERIES_DAYS: '0', KEEP_MESSAGES_DAYS: '7' };
    const shortRetention = await ModuleStage.of(MODULES, { ...days, RECONCILE_EVERY_MINUTES: '0' }, shop);
    try {
      await ordersOfEveryState();
      await ageRows(8, shop.dataSource);
      await shop.query(
        `UPDATE notifications.message
            SET id = ${olderId('id', 8)}, event_id = ${olderId('event_id', 8)}, sent_at = sent_at - interval '8 days'`,
      );
      expect(await shortRetention.app.get(RetentionRunner).prune()).toMatchObject({ messages: expect.any(Number) });
      expect(await shop.query('SELECT FROM notifications.message')).toEqual([]);
      const { confirmed } = await ordersOfEveryState();

      expect(await findings()).toEqual({});

      await damage('DELETE FROM notifications.message WHERE subject = $1', confirmed);
      expect(Object.keys(await findings())).toEqual(['notifications.outcomes-are-told-once']);
    } finally {
      await shortRetention.close();
    }
  });
});

describe('a mismatch is found', () => {
  test('by each check, for the damaged rows and no others', async () => {
    const sound = await ordersOfEveryState();
    const { confirmed, cancelled, shipped } = await ordersOfEveryState();
    const stillPlaced = await place();
    const [ofCups, ofPots] = [await place('CUP', 2), await place('POT', 3)];
    await shop.runDeliveries();

    await damage(`UPDATE inventory.movement SET change = change + 1 WHERE sku = 'RARE'`);
    await damage(`UPDATE inventory.stock SET reserved = 7 WHERE sku = 'POT'`);
    await damage(`UPDATE inventory.reservation SET quantity = 5 WHERE order_id = $1`, ofCups);
    await damage(`UPDATE inventory.stock SET reserved = 5 WHERE sku = 'CUP'`);
    await damage(`UPDATE inventory.reservation SET state = 'dispatched' WHERE order_id = $1`, cancelled);
    await damage(`UPDATE inventory.reservation SET state = 'released' WHERE order_id = $1`, shipped);
    await damage(`UPDATE orders."order" SET status = 'shipped' WHERE id = $1`, confirmed);
    await damage(
      `UPDATE orders."order" SET status = 'placed', version = 1, placed_at = now() - interval '1 hour' WHERE id = $1`,
      stillPlaced,
    );
    const unsent = await eventOf(`order/${ofPots}`, 'orders.order-confirmed.v1');
    await damage('DELETE FROM notifications.message WHERE event_id = $1', unsent);
    const undelivered = await eventOf(`order/${shipped}`, 'orders.order-shipped.v1');
    await damage('DELETE FROM backbone.delivery WHERE event_id = $1', undelivered);
    await damage(`UPDATE backbone.event SET version = 2 WHERE subject = 'product/TEA'`);

    const found = await findings();

    const by = (...list: readonly (Partial<Finding> | undefined)[]) =>
      list.map((each) => expect.objectContaining(each));
    const none = { delivery: null };
    expect(found).toEqual({
      'inventory.levels-are-their-ledgers': by({
        ...none,
        subject: 'stock/RARE',
        expected: '2 on hand',
        found: '1 on hand',
      }),
      'inventory.reserved-is-held': by({ subject: 'stock/POT', expected: '3 reserved', found: '7 reserved' }),
      'inventory.reservations-follow-orders': by(
        { subject: `reservation/${cancelled}`, expected: 'nothing', found: 'TEA dispatched' },
        { subject: `reservation/${shipped}`, expected: 'TEA dispatched', found: 'TEA released' },
        { subject: `reservation/${ofCups}`, expected: '2 × CUP', found: '5 × CUP' },
      ),
      'inventory.reservations-are-as-last-said': by(
        { subject: `reservation/${cancelled}`, expected: 'TEA released', found: 'TEA dispatched' },
        { subject: `reservation/${shipped}`, expected: 'TEA dispatched', found: 'TEA released' },
      ),
      'orders.last-events-tell-their-states': by(
        { subject: `order/${confirmed}`, found: 'version 2, shipped' },
        { subject: `order/${stillPlaced}`, found: 'version 1, placed' },
      ),
      'orders.are-settled': by({ subject: `order/${stillPlaced}`, expected: 'confirmed or rejected' }),
      'orders.heed-inventory': by({ subject: `order/${stillPlaced}`, found: 'placed' }),
      'notifications.outcomes-are-told-once': by({
        subject: `order/${ofPots}`,
        expected: 'one message, sent',
        found: 'none',
        delivery: `${unsent}.notifications.emailConfirmation`,
      }),
      'backbone.events-are-delivered': by({
        subject: `order/${shipped}`,
        found: 'none',
        delivery: `${undelivered}.notifications.emailShipment`,
      }),
      'backbone.versions-are-dense': by({ ...none, subject: 'product/TEA', found: 'none' }),
    });
    expect(JSON.stringify(found)).not.toContain(sound.confirmed);
    const { body } = await shop.get('/v1/operations/reconciliation');
    expect(Object.keys(found).toSorted()).toEqual(body.checks.map(({ check }: { check: string }) => check));
    expect(body).toMatchObject({ found: 14, repairable: 2 });
    expect((await shop.get('/metrics')).body).toMatch(
      /^orderly_reconciliation_findings\{check="inventory.reservations-follow-orders"\} 3$/m,
    );
  });

  test('if a message was not sent, or there is a second one, although the delivery is done', async () => {
    const { confirmed, rejected } = await ordersOfEveryState();
    await damage(`UPDATE notifications.message SET state = 'failed', sent_at = NULL WHERE subject = $1`, confirmed);
    await damage(
      `INSERT INTO notifications.message
       SELECT gen_random_uuid(), event_id, 'by-hand', subject, correlation_id, channel, recipient, state, attempts, answer,
              last_error, created_at, sent_at FROM notifications.message WHERE subject = $1`,
      rejected,
    );

    expect(await findings()).toEqual({
      'notifications.outcomes-are-told-once': [
        expect.objectContaining({ found: 'failed', delivery: expect.stringContaining('emailConfirmation') }),
        expect.objectContaining({ found: 'sent, sent', delivery: null }),
      ],
    });
  });

  test('if a reservation has no event, or a reaction is done without its effect', async () => {
    const { confirmed } = await ordersOfEveryState();
    const unknown = randomUUID();
    await damage(
      `INSERT INTO inventory.reservation (order_id, sku, quantity, state) VALUES ($1, 'CUP', 1, 'released')`,
      unknown,
    );
    await shop.receiveAsDeliveries(
      OrderCancelled({ orderId: confirmed, customer: { name: 'Maria', email: 'maria@example.com' }, reason: 'late' }),
    );
    await shop.query(`UPDATE orders."order" SET status = 'cancelled', version = 3 WHERE id = $1`, [confirmed]);
    await shop.query(`UPDATE backbone.delivery SET state = 'done' WHERE subscriber = 'inventory.releaseStock'`);

    expect(await findings()).toEqual({
      'inventory.reservations-are-as-last-said': [
        expect.objectContaining({ subject: `reservation/${unknown}`, expected: 'CUP none', found: 'CUP released' }),
      ],
      'inventory.reservations-follow-orders': [
        expect.objectContaining({ subject: `reservation/${confirmed}`, expected: 'nothing', found: 'TEA held' }),
      ],
    });
  });
});

describe('a repair', () => {
  /** A message is lost, a delivery is missing, and a level is wrong. */ async function threeDamages(): Promise<void> {
    const { confirmed } = await ordersOfEveryState();
    const { shipped } = await ordersOfEveryState();
    await damage('DELETE FROM notifications.message WHERE subject = $1', confirmed);
    await damage(
      'DELETE FROM backbone.delivery WHERE event_id = $1',
      await eventOf(`order/${shipped}`, 'orders.order-shipped.v1'),
    );
    await damage(`UPDATE inventory.movement SET change = change + 1 WHERE sku = 'RARE'`);
    expect(Object.keys(await findings())).toHaveLength(3);
  }

  test('runs deliveries that are missing or without effect, as in its preview, and leaves other findings to operators', async () => {
    await threeDamages();

    const preview = await repair({ preview: true });
    expect(await shop.runDeliveries()).toBe(0);
    const done = await repair({ reason: 'Rows were deleted by mistake' });

    expect(preview).toEqual({ ...done, preview: true });
    expect(done).toMatchObject({ mended: 2, sideEffects: 2, left: [{ reason: 'no-safe-repair', count: 1 }] });
    expect(await shop.runDeliveries()).toBe(2);
    expect(Object.keys(await findings())).toEqual(['inventory.levels-are-their-ledgers']);
    expect((await shop.get('/v1/operations/audit')).body.items).toMatchObject([
      {
        action: 'repair-findings',
        reason: 'Rows were deleted by mistake',
        before: { missing: 1, done: 1 },
        after: { pending: 2 },
      },
    ]);
  });

  test('ignores deliveries that were pruned since the finding', async () => {
    const { confirmed } = await ordersOfEveryState();
    const eventId = await eventOf(`order/${confirmed}`, 'orders.order-confirmed.v1');
    await ageRows(40, shop.dataSource);
    await shop.app.get(RetentionRunner).prune();
    const [old] = await shop.query<{ id: string }>(`SELECT ${olderId('$1::uuid', 40)} AS id`, [eventId]);
    const candidate = { eventId: old?.id ?? '', subscriber: 'notifications.emailConfirmation' };

    expect(await repairCandidates([candidate], shop.app.get(Subscriptions), shop.dataSource.manager)).toEqual([]);
    await damage('TRUNCATE backbone.pruned_delivery');
    expect(await repairCandidates([candidate], shop.app.get(Subscriptions), shop.dataSource.manager)).toHaveLength(1);
  });

  test('repairs only the requested findings', async () => {
    await threeDamages();

    expect(await repair({ check: 'backbone.events-are-delivered' })).toMatchObject({ mended: 1, left: [] });
    expect(await repair({ subject: 'stock/RARE' })).toMatchObject({ mended: 0, left: [{ reason: 'no-safe-repair' }] });
    expect(await repair({ subject: 'order/none' })).toMatchObject({ mended: 0, left: [] });
  });

  test('ignores findings that no longer exist, so a repeated repair does nothing', async () => {
    await threeDamages();
    await repair({});
    await shop.runDeliveries();

    expect(await repair({})).toMatchObject({
      mended: 0,
      left: [
        { reason: 'agrees-by-now', count: 2 },
        { reason: 'no-safe-repair', count: 1 },
      ],
    });
  });
});

describe('a reconciliation run', () => {
  const signal = new AbortController().signal;
  const lastRun = async () => (await shop.get('/v1/operations/reconciliation')).body.finishedAt;

  test('is done by one process at a time, and by another one when that has died', async () => {
    await ordersOfEveryState();
    const reports = shop.app.get(Reports);
    const claimed = await reports.claim(randomUUID(), 0);
    expect(claimed.size).toBe(10);

    await shop.app.get(Reconciler).run(0, signal);
    expect((await shop.get('/v1/operations/reconciliation')).body).toMatchObject({ running: true, finishedAt: null });

    await shop.query(`UPDATE backbone.reconciliation SET lease_until = now() - interval '1 second'`);
    await shop.app.get(Reconciler).run(0, signal);
    expect(await lastRun()).toMatch(/Z$/);
  });

  test('waits until it is due, unless it is requested', async () => {
    await findings();
    const first = await lastRun();
    await shop.app.get(Reconciler).run(60, signal);
    expect(await lastRun()).toBe(first);

    await shop.query(`UPDATE backbone.reconciliation SET finished_at = now() - interval '61 minutes'`);
    await shop.app.get(Reconciler).run(60, signal);
    expect((await lastRun()) > first).toBe(true);
  });

  test('ends when its process stops, and leaves the checks to others', async () => {
    const stopping = AbortSignal.abort(new Error('The process stops'));

    await expect(shop.app.get(Reconciler).run(0, stopping)).rejects.toThrow('The process stops');

    expect((await shop.app.get(Reports).claim(randomUUID(), 0)).size).toBe(10);
  });

  /** A run with one check on numbers. */
  const runOf = (count: number, findMismatches: RowCheck['findMismatches'], special: Partial<RunOptions> = {}) => {
    const numbers = Array.from({ length: count }, (_, index) => String(index).padStart(5, '0'));
    const check: RowCheck = {
      name: 'toys.are-numbered',
      description: 'Toys have numbers',
      remedy: 'Number them',
      keysAfter: async (last, limit) => numbers.filter((each) => each > (last ?? '')).slice(0, limit),
      findMismatches,
    };
    const handledEvents = new HandledEvents(shop.app.get(Database), shop.app.get(Subscriptions));
    const options = {
      graceSeconds: 0,
      keepLeaseEveryMs: 1_000,
      keepLease: async () => undefined,
      signal,
      checkpoints: new Map(),
      ...special,
    };
    return new ReconciliationRun([check], handledEvents, options).run();
  };
  const odd = (keys: readonly string[]) =>
    keys.map((key) => ({ key, subject: `toy/${key}`, expected: 'a number', found: 'none' }));

  test('reads all keys in small batches, and keeps at most 1,000 findings', async () => {
    const batches: number[] = [];

    const [report] = await runOf(1_450, async (keys) => {
      batches.push(keys.length);
      return odd(keys);
    });

    expect([report?.lookedAt, report?.findings.length]).toEqual([1_450, 1_000]);
    expect(Math.max(...batches)).toBe(200);
  });

  test('reports only mismatches that it finds twice', async () => {
    const seen = new Set<string>();

    const [report] = await runOf(3, async (keys) => {
      const isFirst = !keys.some((key) => seen.has(key));
      for (const key of keys) seen.add(key);
      return odd(isFirst ? keys : keys.filter((key) => key === '00001'));
    });

    expect(report?.findings.map(({ key }) => key)).toEqual(['00001']);
  });

  test('runs all other checks when one fails, and reports the failure until the check succeeds', async () => {
    const { confirmed } = await ordersOfEveryState();
    await damage(`UPDATE orders."order" SET status = 'shipped' WHERE id = $1`, confirmed);
    const confirmation = await eventOf(`order/${confirmed}`, 'orders.order-confirmed.v1');
    await damage(`UPDATE backbone.event SET data = '{"orderId": "maria@example.com"}' WHERE id = $1`, confirmation);
    const check = shop.app.get(CheckRegistry, { strict: false }).all.find(({ name }) => name === 'orders.are-settled');
    const spy = jest.spyOn(check as RowCheck, 'keysAfter').mockRejectedValue(new Error('no maria@example.com'));

    const found = Object.keys(await findings());
    const { body } = await shop.get('/v1/operations/reconciliation');
    spy.mockRestore();

    expect(found).toEqual(['orders.last-events-tell-their-states']);
    expect(body).toMatchObject({ running: false, failed: 2, finishedAt: null });
    const failed = body.checks.filter(({ error }: { error: string | null }) => error !== null);
    expect(failed).toMatchObject([
      { check: 'inventory.reservations-follow-orders', finishedAt: null },
      { check: 'orders.are-settled', finishedAt: null, error: 'no ***@example.com' },
    ]);
    const gauge = (value: number) => `orderly_reconciliation_failed{check="orders.are-settled"} ${value}`;
    expect((await shop.get('/metrics')).body).toContain(gauge(1));

    await findings();
    expect((await shop.get('/v1/operations/reconciliation')).body).toMatchObject({ failed: 1 });
    expect((await shop.get('/metrics')).body).toContain(gauge(0));
  });

  test('ends when another process has taken over, and extends its lease while it waits', async () => {
    let extensions = 0;
    const grace = { graceSeconds: 0.02, keepLeaseEveryMs: 4 };
    await runOf(1, async (keys) => odd(keys), { ...grace, keepLease: async () => void extensions++ });
    // Twice for batches of keys, five times during the grace period, and once before the second check of the
    // mismatches.
    expect(extensions).toBe(2 + 5 + 1);

    const keepLease = async () => {
      if (--extensions === 0) throw new Error('taken over');
    };
    extensions = 5;
    await expect(runOf(1, async (keys) => odd(keys), { ...grace, keepLease })).rejects.toThrow('taken over');
  });

  test('skips events that are younger than the grace period', async () => {
    await ordersOfEveryState();
    const handledEvents = new HandledEvents(shop.app.get(Database), shop.app.get(Subscriptions));

    expect(await handledEvents.readAfter(0, 3_600)).toEqual([]);
    expect(await handledEvents.readAfter(0, 0)).not.toEqual([]);
  });
});

describe('a scheduled reconciliation run', () => {
  const { signal } = new AbortController();
  /** Runs one. Returns the checks with findings, and the number of events that were read. */
  async function scheduledRun() {
    await shop.query(`UPDATE backbone.reconciliation SET finished_at = now() - interval '61 minutes'`);
    await shop.app.get(Reconciler).run(60, signal);
    const { checks } = (await shop.get('/v1/operations/reconciliation')).body;
    const found = checks
      .filter((each: { found: number }) => each.found > 0)
      .map(({ check }: { check: string }) => check);
    const dense = checks.find(({ check }: { check: string }) => check === 'backbone.versions-are-dense');
    return { found, events: dense.lookedAt };
  }
  const hoursPass = () => damage(`UPDATE backbone.event SET occurred_at = occurred_at - interval '1 hour'`);
  const logged = async () => (await shop.query('SELECT FROM backbone.event')).length;

  test('reads the events since the last run, and checks open deliveries and findings again', async () => {
    await ordersOfEveryState();
    const waiting = await place();
    await hoursPass();
    const old = await logged();
    expect(await scheduledRun()).toEqual({ found: [], events: old });
    await ordersOfEveryState();
    await shop.runDeliveries();
    await damage('DELETE FROM notifications.message WHERE subject = $1', waiting);

    const lost = { found: ['notifications.outcomes-are-told-once'], events: (await logged()) - old };
    expect(await scheduledRun()).toEqual(lost);
    await hoursPass();
    expect(await scheduledRun()).toEqual(lost);
    expect(await scheduledRun()).toEqual({ ...lost, events: 0 });

    await repair({});
    await shop.runDeliveries();
    expect(await scheduledRun()).toEqual({ found: [], events: 0 });
  });

  test('does not read behind the checkpoint; a requested run does, and its findings are checked again later', async () => {
    const { confirmed } = await ordersOfEveryState();
    await hoursPass();
    await scheduledRun();
    await damage('DELETE FROM notifications.message WHERE subject = $1', confirmed);
    expect(await scheduledRun()).toEqual({ found: [], events: 0 });

    expect(Object.keys(await findings())).toEqual(['notifications.outcomes-are-told-once']);
    expect(await scheduledRun()).toEqual({ found: ['notifications.outcomes-are-told-once'], events: 0 });
  });

  test('reads recent events again, because a slow transaction may have committed an earlier position', async () => {
    await ordersOfEveryState();
    await scheduledRun();

    expect(await scheduledRun()).toEqual({ found: [], events: await logged() });
  });

  test('respects the first event of a subscriber, although it does not read earlier events', async () => {
    await ordersOfEveryState();
    await damage(`DELETE FROM backbone.delivery WHERE subscriber = 'notifications.emailDelivery'`);
    await hoursPass();
    expect(await scheduledRun()).toMatchObject({ found: [] });
    await ordersOfEveryState();
    expect(await scheduledRun()).toMatchObject({ found: [] });

    await hoursPass();
    await scheduledRun();
    const { shipped } = await ordersOfEveryState();
    await damage(
      `DELETE FROM backbone.delivery WHERE subscriber = 'notifications.emailShipment'
                     AND order_key LIKE '%' || $1`,
      shipped,
    );
    expect(await scheduledRun()).toMatchObject({ found: ['backbone.events-are-delivered'] });
  });
});
