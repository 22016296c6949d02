import { INVARIANTS, violationsOf } from '../support/invariants.js';
import { journey, type Stage } from '../support/journey.js';
import { nextVersion } from '../support/next-version.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

const FEW = 5;
const MANY = 20;
const NEW = 'notifications.noteOrder';

async function rush(orders: number, ...shops: readonly Program[]): Promise<void> {
  const customer = async (shop: Program) => {
    for (let order = 0; order < orders; order += 1) await place(shop);
  };
  await Promise.all(shops.map(customer));
}

/** A table in which the new subscribers of the next version store the ids of their events. */
const makeNotes = (stage: Stage) =>
  stage.sql(`
    CREATE TABLE notifications.note (event_id uuid NOT NULL);
    GRANT INSERT ON notifications.note TO orderly_notifications`);

test('a rolling deployment under load: both versions serve at the same time, and a roll-back is possible', () =>
  journey(async (stage) => {
    const mailServer = await stage.mailServer();
    const settings = { SMTP_URL: mailServer.url };
    const operate = async (shop: Program, what: string, reason: string) =>
      (await shop.post(`/v1/operations/subscriptions/${NEW}/${what}`, { reason })).body;
    const [next, old] = await Promise.all([nextVersion(), stage.shop(settings)]);
    await makeNotes(stage);
    await stock(old, aProduct('TEA', 10_000));
    mailServer.hang();
    await rush(FEW, old);
    await until('e-mails are being sent', () => mailServer.isBusy);

    const young = await stage.shop(settings, next);
    // Continue before the timeout of the handler, after which an e-mail would be sent again.
    mailServer.resume();
    await operate(young, 'pause', 'Keeps deliveries pending that only the new version can read');
    await rush(FEW, old, young);
    const refused = await stage.launch(settings);
    expect(await refused.ended).toEqual({ code: 1, signal: null });
    expect(refused.output).toContain(`${FEW} unfinished deliveries of orders.order-placed.v1 wait for ${NEW}`);
    await operate(young, 'resume', 'Continue');
    await rush(MANY, old, young);
    const [ending] = await Promise.all([old.kill('SIGTERM'), rush(MANY, young)]);
    await stage.quiet();

    const orders = 3 * FEW + 3 * MANY;
    expect(ending).toEqual({ code: 0, signal: null });
    expect(await operate(young, 'replay', 'The old version did not have this subscriber')).toMatchObject({
      run: 2 * FEW + MANY,
      suppressed: [{ reason: 'done', count: FEW + 2 * MANY }],
    });
    await stage.quiet();
    expect(await violationsOf(young, stage, INVARIANTS)).toEqual({});
    expect(new Set(mailServer.received.map(({ messageId }) => messageId)).size).toBe(orders);
    expect(mailServer.received).toHaveLength(orders);
    const reservations = FEW + 2 * MANY;
    expect(await stage.sql('SELECT DISTINCT event_id FROM notifications.note')).toHaveLength(orders + reservations);
    expect(await stage.sql('SELECT FROM notifications.note')).toHaveLength(orders + reservations);

    const back = await stage.shop(settings);
    await rush(FEW, back, young);
    await stage.quiet();
    expect(await young.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await rush(FEW, back);
    await stage.quiet();

    // Deliveries to subscribers that only the new version has are done, but unknown to the old one.
    const { 'every delivery is for a subscriber of its event': _, ...others } = INVARIANTS;
    expect(await violationsOf(back, stage, others)).toEqual({});
    expect(mailServer.received).toHaveLength(orders + 3 * FEW);
  }));
