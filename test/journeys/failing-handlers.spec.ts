import { journey } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';
import { anOrder, aProduct, place, stock } from '../support/words.js';

/** Number of temporary refusals before a busy mailbox accepts the e-mail. */
const REFUSALS = 5;

interface Delivery {
  readonly state: string;
  readonly attempts: number;
  readonly leaseUntil: string | null;
  readonly errors: readonly { readonly attempt: number; readonly name: string; readonly message: string }[];
}

/** The delivery of an order's confirmation, from the operator API. */
async function confirmationOf(shop: Program, { id }: { readonly id: string }): Promise<Delivery> {
  const { body } = await shop.get(
    `/v1/operations/deliveries?subscriber=notifications.emailConfirmation&subject=order/${id}`,
  );
  return body.items[0];
}

const errorsOf = (delivery: Delivery, code: string) =>
  delivery.errors.filter(({ message }) => message.includes(code)).map(({ attempt, name }) => `${attempt} ${name}`);

test('a failing handler is retried until it succeeds or is dead, every error is stored, and other deliveries are not affected', () =>
  journey(async (stage) => {
    const mailServer = await stage.mailServer();
    let refusals = 0;
    mailServer.refuses((to) => {
      if (to.startsWith('full')) return '452 4.2.2 mailbox full';
      if (to.startsWith('gone')) return '550 5.1.1 no such user';
      if (to.startsWith('busy') && refusals++ < REFUSALS) return '451 4.3.0 try later';
      return undefined;
    });
    const shop = await stage.shop({ SMTP_URL: mailServer.url });
    await stock(shop, aProduct('TEA', 10));
    const orderOf = (name: string) => place(shop, anOrder(undefined, `${name}@example.com`));

    const busy = await orderOf('busy');
    const full = await orderOf('full');
    const gone = await orderOf('gone');
    const fine = await orderOf('fine');
    const tryAgain = async (order: { id: string }) => {
      const { attempts } = await confirmationOf(shop, order);
      await stage.endPauses();
      await until('there was another attempt', async () => {
        const now = await confirmationOf(shop, order);
        return now.state !== 'pending' || (now.attempts > attempts && now.leaseUntil === null);
      });
    };
    while ((await confirmationOf(shop, busy)).state === 'pending') await tryAgain(busy);
    while ((await confirmationOf(shop, full)).errors.length < REFUSALS) await tryAgain(full);

    const delivered = await confirmationOf(shop, busy);
    expect(delivered).toMatchObject({ state: 'done', attempts: REFUSALS + 1 });
    expect(errorsOf(delivered, '451')).toEqual([1, 2, 3, 4, 5].map((attempt) => `${attempt} MailNotSent`));
    expect(await confirmationOf(shop, fine)).toMatchObject({ state: 'done', attempts: 1, errors: [] });
    expect(mailServer.received.map(({ to }) => to)).toEqual(['fine@example.com', 'busy@example.com']);

    // All 35 attempts would take a day; only the last ones matter here.
    await stage.sql(`UPDATE backbone.delivery SET attempts = 33 WHERE state = 'pending'`);
    while ((await confirmationOf(shop, full)).state === 'pending') await tryAgain(full);

    const exhausted = await confirmationOf(shop, full);
    expect(exhausted).toMatchObject({ state: 'dead', attempts: 35 });
    expect(errorsOf(exhausted, '452').slice(0, REFUSALS)).toEqual([1, 2, 3, 4, 5].map((each) => `${each} MailNotSent`));
    expect(errorsOf(exhausted, '452').slice(-2)).toEqual(['34 MailNotSent', '35 MailNotSent']);
    const hopeless = await confirmationOf(shop, gone);
    expect(hopeless).toMatchObject({ state: 'dead', attempts: 1 });
    expect(errorsOf(hopeless, '550')).toEqual(['1 GiveUp']);
    expect(JSON.stringify([exhausted, hopeless])).not.toContain('@example.com');

    const { body: dead } = await shop.get('/v1/operations/deliveries?state=dead');
    expect(dead.items).toMatchObject([{ subject: `order/${gone.id}` }, { subject: `order/${full.id}` }]);
    const { body: failed } = await shop.get('/v1/notifications?state=failed');
    expect(failed.items.map(({ subject }: { subject: string }) => subject).toSorted()).toEqual([full.id, gone.id]);
    const { body: timeline } = await shop.get(`/v1/orders/${full.id}/timeline`);
    expect(timeline.entries).toContainEqual(expect.objectContaining({ kind: 'delivery', state: 'dead' }));

    mailServer.refuses(() => undefined);
    await shop.post(`/v1/orders/${full.id}/cancellation`, { reason: 'no confirmation received' });
    await stage.quiet();
    expect(mailServer.received.map(({ to }) => to).slice(2)).toEqual(['full@example.com']);
  }));
