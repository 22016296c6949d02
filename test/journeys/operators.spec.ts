import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { journey, type Stage } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

const CONFIRMATION = 'notifications.emailConfirmation';

const operate = async (shop: Program, path: string, body: object) => {
  const answer = await shop.post(`/v1/operations/${path}`, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
};
const list = async (shop: Program, path: string) => (await shop.get(`/v1/operations/${path}`)).body.items;

test('an operator finds a broken mail server, pauses its subscriber in every process, and replays the dead deliveries', () =>
  journey(async (stage) => {
    const mailServer = await stage.mailServer();
    mailServer.refuses(() => '550 5.7.1 relaying denied');
    const settings = { SMTP_URL: mailServer.url };
    const worker = await stage.shop(settings);
    const shop = await stage.shop({ ...settings, WORKERS: 'off' });
    await stock(worker, aProduct('TEA', 10));
    const customers = ['ana', 'bob', 'eve'].map((name) => `${name}@example.com`);
    for (const customer of customers) await place(shop, anOrder(undefined, customer));
    await until('all e-mails are dead letters', async () => (await list(shop, 'dead'))[0]?.count === customers.length);

    await operate(shop, `subscriptions/${CONFIRMATION}/pause`, { reason: 'The mail server refuses us' });
    mailServer.refuses(() => undefined);
    await place(worker, anOrder(undefined, 'late@example.com'));
    const [group] = await list(worker, 'dead');
    expect(group).toMatchObject({ subscriber: CONFIRMATION, example: { message: expect.stringContaining('550') } });
    const filter = { state: 'dead', fingerprint: group.fingerprint };
    const paused = await operate(shop, 'deliveries/replay', { filter, preview: true });
    expect(paused).toMatchObject({ run: 0, suppressed: [{ reason: 'paused', count: 3 }] });

    await operate(worker, `subscriptions/${CONFIRMATION}/resume`, { reason: 'The mail server is repaired' });
    await stage.quiet();
    expect(mailServer.received.map(({ to }) => to)).toEqual(['late@example.com']);
    const preview = await operate(shop, 'deliveries/replay', { filter, preview: true });
    const done = await operate(shop, 'deliveries/replay', { filter, reason: 'The mail server is repaired' });
    expect([preview, done.run, done.sideEffects]).toEqual([{ ...done, preview: true }, 3, 3]);

    await stage.quiet();
    expect(mailServer.received.map(({ to }) => to).toSorted()).toEqual([...customers, 'late@example.com'].toSorted());
    expect(await list(shop, 'dead')).toEqual([]);
    expect(await list(shop, 'audit')).toMatchObject([
      { action: 'replay-deliveries', target: filter, before: { dead: 3 }, after: { pending: 3 } },
      { action: 'resume-subscription' },
      { action: 'pause-subscription', reason: 'The mail server refuses us' },
    ]);
  }));

test('two replays of the whole history change no row of any module and send no e-mail', () =>
  journey(async (stage) => {
    const mailServer = await stage.mailServer();
    const settings = { SMTP_URL: mailServer.url };
    const orders = await stage.shop({ ...settings, MODULES: 'orders' });
    const others = await stage.shop({ ...settings, MODULES: 'inventory,notifications' });
    await stock(others, aProduct('TEA', 10, { reorderLevel: 8 }), aProduct('CUP', 5));
    await stage.quiet();
    await placeAllKinds(orders);
    await stage.quiet();
    for (const part of [orders, others]) await part.kill('SIGTERM');
    const whole = await stage.shop(settings);
    await placeAllKinds(whole);
    await stage.quiet();
    const before = await everyRow(stage);
    const mails = mailServer.received.length;
    expect(mails).toBeGreaterThan(10);

    for (const reason of ['once', 'and again']) {
      const all = await operate(whole, 'deliveries/replay', { filter: {}, reason });
      expect(all).toMatchObject({ run: 0, suppressed: [{ reason: 'done', count: all.considered }] });
      for (const { name } of await list(whole, 'subscriptions'))
        expect(await operate(whole, `subscriptions/${name}/replay`, { reason })).toMatchObject({ run: 0 });
    }

    await stage.quiet();
    expect(await everyRow(stage)).toEqual(before);
    expect(mailServer.received).toHaveLength(mails);
    expect(await violationsOf(whole, stage, INVARIANTS)).toEqual({});
  }));

/** Places orders with every possible final state. */
async function placeAllKinds(shop: Program): Promise<void> {
  const lines = [{ sku: 'TEA', quantity: 1 }];
  const [shipped, cancelled] = [await place(shop, anOrder(lines)), await place(shop, anOrder(lines))];
  await place(shop, anOrder([{ sku: 'CUP', quantity: 100 }]));
  for (const { id } of [shipped, cancelled])
    await until('the order is confirmed', async () => (await shop.get(`/v1/orders/${id}`)).body.status === 'confirmed');
  await shop.post(`/v1/orders/${cancelled.id}/cancellation`, { reason: 'ordered twice' });
  await shop.post(`/v1/orders/${shipped.id}/shipment`, { carrier: 'Speedy Express', trackingNumber: 'SE-1' });
  await shop.post(`/v1/orders/${shipped.id}/delivery`);
}

/** A checksum of each table with business data, events or deliveries. */
async function everyRow(stage: Stage): Promise<Record<string, string>> {
  const tables = await stage.sql<{ name: string }>(`
    SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('orders', 'inventory', 'notifications')
        OR table_schema = 'backbone' AND table_name IN ('event', 'delivery')`);
  const sums = tables.map(async ({ name }) => {
    const [row] = await stage.sql<{ sum: string }>(
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') AS sum FROM ${name} t`,
    );
    return [name, row?.sum ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(sums));
}
