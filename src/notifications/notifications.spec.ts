import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { v7 as uuidv7 } from 'uuid';
import { definitionOf } from '../backbone/business-module.js';
import type { Fact } from '../backbone/domain-event.js';
import { Subscriptions } from '../backbone/registry/subscriptions.js';
import { Database } from '../common/database/database.js';
import { retryPauseMs } from '../common/errors/failure.js';
import { StockRanLow } from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { Timeline } from '../operations/timeline.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderRejected,
  OrderShipped,
} from '../orders/orders.events.js';
import { senderOf } from './mailer.js';
import { NotificationsModule } from './notifications.module.js';

const MAIL_FROM = 'Northwind <shop@northwind.example>';
const OPERATORS_EMAIL = 'night-shift@northwind.example';

/** A mail server in this process. It accepts every mail, unless `answers` has another answer for the recipient. */
class MailServer {
  readonly received: ParsedMail[] = [];
  /** By recipient, the answers to its next mails; 'silence' answers nothing. */
  readonly answers = new Map<string, (number | 'silence')[]>();
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _session, done) => {
      const answer = this.answers.get(address)?.shift() ?? 250;
      if (answer === 250) done();
      else if (answer !== 'silence')
        done(Object.assign(new Error(`no luck with ${address}`), { responseCode: answer }));
    },
    onData: async (stream, _session, done) => {
      this.received.push(await simpleParser(stream));
      done(null, 'queued');
    },
  });

  /** Returns its URL, which limits the time that the mailer waits for an answer. */
  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}?socketTimeout=300`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }

  mailsAbout(text: string): ParsedMail[] {
    return this.received.filter((mail) => mail.text?.includes(text));
  }
}

const money = { amount: 21_600, currency: 'USD' };
const aCustomer = { name: 'Maria Anders', email: 'maria@customer.example' };

/** A customer with a unique address, for which a test can set answers. */
const aUniqueCustomer = () => ({ name: 'Maria Anders', email: `maria-${uuidv7()}@customer.example` });

const confirmed = (orderId: string, customer = aCustomer) =>
  OrderConfirmed({
    orderId,
    customer,
    lines: [{ sku: 'NW-1', name: 'Chai', quantity: 12, lineTotal: money }],
    total: money,
  });
const shipped = (orderId: string, customer = aCustomer) =>
  OrderShipped({ orderId, customer, carrier: 'Federal Shipping', trackingNumber: '1Z999' });

describe('a message', () => {
  const server = new MailServer();
  let notifications: ModuleStage;

  beforeAll(async () => {
    const SMTP_URL = await server.start();
    notifications = await ModuleStage.of(NotificationsModule, { SMTP_URL, MAIL_FROM, OPERATORS_EMAIL });
  });

  afterAll(async () => {
    await notifications.close();
    await server.close();
  });

  const messages = async (subject: string) =>
    (await notifications.get(`/v1/notifications?subject=${subject}`)).body.items;
  const deliveries = async (subject: string) =>
    (await notifications.get(`/v1/operations/deliveries?subject=${subject}`)).body.items;
  /** Sets the number of failed attempts of the event's delivery. */
  const failedBefore = (attempts: number, orderId: string) =>
    notifications.query('UPDATE backbone.delivery SET attempts = $1 WHERE order_key LIKE $2', [
      attempts,
      `%${orderId}`,
    ]);

  const id = uuidv7();
  test.each<[template: string, fact: Fact, to: string, subject: string, words: string[]]>([
    [
      'order-confirmed',
      confirmed(id),
      aCustomer.email,
      `Your order ${id.slice(-8).toUpperCase()} is confirmed`,
      ['Thank you, Maria Anders!', '12', 'Chai', '$216.00', id],
    ],
    [
      'order-rejected',
      OrderRejected({
        orderId: id,
        customer: aCustomer,
        reason: 'out-of-stock',
        lines: [{ sku: 'NW-1', name: 'Chai', requested: 4_000, available: 39 }],
      }),
      aCustomer.email,
      `We could not accept your order ${id.slice(-8).toUpperCase()}`,
      ['Chai', '4,000', '39', id],
    ],
    [
      'order-cancelled',
      OrderCancelled({ orderId: id, customer: aCustomer, reason: 'ordered twice' }),
      aCustomer.email,
      `Your order ${id.slice(-8).toUpperCase()} is cancelled`,
      ['ordered twice', id],
    ],
    [
      'order-shipped',
      shipped(id),
      aCustomer.email,
      `Your order ${id.slice(-8).toUpperCase()} is on its way`,
      ['Federal Shipping', '1Z999', id],
    ],
    [
      'order-delivered',
      OrderDelivered({ orderId: id, customer: aCustomer }),
      aCustomer.email,
      `Your order ${id.slice(-8).toUpperCase()} has arrived`,
      ['Maria Anders', id],
    ],
    [
      'stock-ran-low',
      StockRanLow({ sku: 'NW-11', name: 'Queso Cabrales', available: 4, reorderLevel: 30 }),
      OPERATORS_EMAIL,
      'Low stock: Queso Cabrales (NW-11)',
      ['Queso Cabrales', 'NW-11', '4', '30'],
    ],
  ])(
    '%s is stored once and sent once, however often its event is delivered',
    async (template, fact, to, subject, words) => {
      await notifications.receive(fact);
      await notifications.runDeliveries();
      await notifications.runSideEffectsAgain();

      expect((await deliveries(fact.subject)).map(({ state }: { state: string }) => state)).not.toContain('pending');
      const about = fact.subject.slice(fact.subject.indexOf('/') + 1);
      const rows = (await messages(about)).filter((row: { template: string }) => row.template === template);
      expect(rows).toMatchObject([{ recipient: to, channel: 'email', state: 'sent', attempts: 1 }]);
      const sent = server.received.filter(
        (mail) => mail.messageId === `<${rows[0].eventId}.${template}@northwind.example>`,
      );
      expect(sent).toMatchObject([
        { subject, from: { text: '"Northwind" <shop@northwind.example>' }, to: { text: to } },
      ]);
      for (const word of words) {
        expect(sent[0]?.text).toContain(word);
        expect(sent[0]?.html).toContain(word);
      }
    },
  );

  test('about low stock goes to the operators once per crossing', async () => {
    const ranLow = (available: number) => StockRanLow({ sku: 'NW-12', name: 'Tofu', available, reorderLevel: 10 });

    await notifications.receive(ranLow(10));
    await notifications.receive(ranLow(3));
    await notifications.runDeliveries();
    await notifications.runSideEffectsAgain();

    expect(server.mailsAbout('NW-12')).toHaveLength(2);
  });

  test('that the server defers is retried and sent', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, [451]);
    await notifications.receive(confirmed(orderId, customer));

    await notifications.runDeliveries();
    expect(await messages(orderId)).toMatchObject([{ state: 'pending', attempts: 1, sentAt: null }]);
    expect(await deliveries(`order/${orderId}`)).toMatchObject([
      { state: 'pending', attempts: 1, errors: [{ attempt: 1, name: 'MailNotSent', message: /451/ }] },
    ]);
    await notifications.runDeliveries();

    expect(await messages(orderId)).toMatchObject([{ state: 'sent', attempts: 2, sentAt: expect.any(String) }]);
    expect(await deliveries(`order/${orderId}`)).toMatchObject([{ state: 'done', attempts: 2 }]);
    expect(server.mailsAbout(orderId)).toHaveLength(1);
  });

  test('that the server does not answer fails after a timeout and is retried', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, ['silence', 'silence']);
    await notifications.receive(confirmed(orderId, customer));

    await notifications.runDeliveries();
    expect(await deliveries(`order/${orderId}`)).toMatchObject([
      { state: 'pending', attempts: 1, errors: [{ name: 'MailNotSent', message: expect.stringMatching(/timeout/i) }] },
    ]);
    await notifications.runDeliveries();

    expect(await messages(orderId)).toMatchObject([{ state: 'sent', attempts: 2 }]);
  });

  test('has failed after its last attempt, and is sent when its delivery is replayed', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, [451]);
    await notifications.receive(confirmed(orderId, customer));
    await failedBefore(34, orderId);

    await notifications.runDeliveries();
    expect(await messages(orderId)).toMatchObject([{ state: 'failed' }]);
    expect(await deliveries(`order/${orderId}`)).toMatchObject([{ state: 'dead', attempts: 35 }]);
    await notifications.query(`UPDATE backbone.delivery SET state = 'pending', attempts = 0 WHERE order_key LIKE $1`, [
      `%${orderId}`,
    ]);
    await notifications.runDeliveries();

    expect(await messages(orderId)).toMatchObject([{ state: 'sent' }]);
  });

  test('that the server refuses permanently has failed at once, and the later mails are sent', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, [550]);
    await notifications.receive(confirmed(orderId, customer));
    await notifications.receive(shipped(orderId, customer));

    await notifications.runDeliveries();

    expect(await messages(orderId)).toMatchObject([
      { template: 'order-shipped', state: 'sent' },
      { template: 'order-confirmed', state: 'failed', attempts: 1, sentAt: null },
    ]);
    expect(await deliveries(`order/${orderId}`)).toMatchObject([
      { subscriber: 'notifications.emailShipment', state: 'done' },
      { subscriber: 'notifications.emailConfirmation', state: 'dead', attempts: 1, errors: [{ name: 'GiveUp' }] },
    ]);
  });

  test('is retried for at least eight hours', () => {
    const { all } = new Subscriptions([NotificationsModule], () => true);
    const shortest = all.map(({ attempts, backoff }) => {
      const pauses = Array.from({ length: attempts - 1 }, (_, failed) => retryPauseMs(failed + 1, backoff, 0));
      return pauses.reduce((sum, pause) => sum + pause, 0);
    });
    expect(Math.min(...shortest)).toBeGreaterThan(8 * 3_600_000);
  });

  test('that was sent is not sent again by a replay', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    await notifications.receive(confirmed(orderId, customer));
    await notifications.runDeliveries();
    const [{ id }] = await deliveries(`order/${orderId}`);
    const request = { ids: [id], preview: false, reason: 'It never came' };

    const { body } = await notifications.post('/v1/operations/deliveries/replay', request);
    await notifications.runDeliveries();

    expect(body).toMatchObject({ run: 0, suppressed: [{ reason: 'done', count: 1 }] });
    expect(await messages(orderId)).toMatchObject([{ state: 'sent', attempts: 1 }]);
  });

  test('waits until the earlier ones about its order are sent', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, [451]);
    await notifications.receive(confirmed(orderId, customer));
    await notifications.receive(shipped(orderId, customer));

    await notifications.runDeliveries();
    expect(server.mailsAbout(orderId)).toEqual([]);
    await notifications.runDeliveries();

    expect(server.mailsAbout(orderId).map(({ subject }) => subject?.slice(-12))).toEqual([
      'is confirmed',
      's on its way',
    ]);
  });

  test('stores no address in an error, even if the answer of the server contains it', async () => {
    const orderId = uuidv7();
    const customer = aUniqueCustomer();
    server.answers.set(customer.email, [451]);
    await notifications.receive(confirmed(orderId, customer));

    await notifications.runDeliveries();

    const kept = await notifications.query<{ text: string }>(
      `SELECT last_error AS text FROM notifications.message WHERE subject = $1
       UNION ALL SELECT errors::text FROM backbone.delivery WHERE order_key LIKE $2`,
      [orderId, `%${orderId}`],
    );
    expect(kept.map(({ text }) => text)).toEqual([
      expect.stringContaining('no luck with ***@customer.example'),
      expect.stringContaining('no luck with ***@customer.example'),
    ]);
  });

  test.each([
    ['a line break', 'maria@customer.example\r\nBcc: thief@evil.example'],
    ['a second recipient', 'maria@customer.example, thief@evil.example'],
    ['a name', 'Maria <maria@customer.example>'],
  ])('to an address with %s is refused without a connection to the server', async (_what, email) => {
    const orderId = uuidv7();
    await notifications.receive(confirmed(orderId, { name: 'Maria', email }));

    await notifications.runDeliveries();

    expect(await messages(orderId)).toMatchObject([{ state: 'failed', attempts: 1 }]);
    expect(server.mailsAbout(orderId)).toEqual([]);
  });

  test('has no headers or markup from texts that people typed', async () => {
    const orderId = uuidv7();
    const hostile = '<script>alert(1)</script>\r\nBcc: thief@evil.example\r\n\r\n<h1>You won</h1>';
    const { email } = aUniqueCustomer();
    await notifications.receive(
      OrderShipped({ orderId, customer: { name: hostile, email }, carrier: hostile, trackingNumber: hostile }),
      StockRanLow({ sku: 'NW-13', name: hostile, available: 1, reorderLevel: 2 }),
    );

    await notifications.runDeliveries();

    const mails = [...server.mailsAbout(orderId), ...server.mailsAbout('NW-13')];
    expect(mails).toHaveLength(2);
    for (const { headers, bcc, html, text } of mails) {
      expect([headers.has('bcc'), bcc]).toEqual([false, undefined]);
      expect(html).toContain('&#60;script&#62;');
      expect(html).not.toMatch(/<script|<h1>You won/);
      expect(text).not.toMatch(/^Bcc:/m);
    }
  });

  test('is listed by its subject and its state, page by page, newest first', async () => {
    const orderId = uuidv7();
    const facts = [confirmed(orderId), shipped(orderId), OrderDelivered({ orderId, customer: aCustomer })];
    for (const fact of facts) await notifications.receive(fact);
    await notifications.runDeliveries();

    const url = `/v1/notifications?subject=${orderId}&state=sent&limit=2`;
    const first = (await notifications.get(url)).body;
    const second = (await notifications.get(`${url}&cursor=${first.nextCursor}`)).body;

    const templates = [...first.items, ...second.items].map(({ template }) => template);
    expect(templates).toEqual(['order-delivered', 'order-shipped', 'order-confirmed']);
    expect(second.nextCursor).toBeNull();
    expect((await notifications.get(`/v1/notifications?subject=${orderId}&state=failed`)).body.items).toEqual([]);
  });

  test.each([
    ['colour=red', 'request-invalid'],
    ['state=lost', 'request-invalid'],
    ['limit=0', 'request-invalid'],
    ['limit=201', 'request-invalid'],
    ['cursor=nonsense', 'cursor-invalid'],
  ])('is not listed by ?%s', async (query, code) => {
    expect(await notifications.get(`/v1/notifications?${query}`)).toMatchObject({ status: 400, body: { code } });
  });

  test('is in the timeline of its order, without its recipient', async () => {
    const orderId = uuidv7();
    await notifications.receive(confirmed(orderId));
    await notifications.runDeliveries();

    const timeline = await notifications.app.get(Timeline).of(`order/${orderId}`);

    const eventId = timeline[0]?.eventId;
    const subscriber = 'notifications.emailConfirmation';
    expect(timeline).toHaveLength(3);
    expect(timeline[0]).toMatchObject({ kind: 'event', type: OrderConfirmed.type });
    expect(timeline).toContainEqual(expect.objectContaining({ kind: 'delivery', eventId, subscriber, state: 'done' }));
    expect(timeline).toContainEqual({
      kind: 'message',
      at: expect.any(String),
      eventId,
      template: 'order-confirmed',
      channel: 'email',
      state: 'sent',
      attempts: 1,
      sentAt: expect.any(String),
    });
    expect(JSON.stringify(timeline)).not.toContain(aCustomer.email);
  });

  test('is not kept in the mailbox, whose page names the mail server', async () => {
    expect((await notifications.get('/mailbox')).body).toMatch(/<code>SMTP_URL<\/code>.\s+Nothing new arrives here/);
  });
});

describe('the mailbox', () => {
  let notifications: ModuleStage;

  beforeAll(async () => {
    notifications = await ModuleStage.of(NotificationsModule, { MAIL_FROM });
  });

  afterAll(() => notifications.close());

  /** The links to the mails on a page of the mailbox. */
  const linksOn = (page: string) =>
    [...page.matchAll(/href="(\/mailbox\/[0-9a-f-]{36})"/g)].map(([, link]) => link ?? '');

  test('keeps one mail for an event, and shows it as HTML, as text and with its headers', async () => {
    const orderId = uuidv7();
    await notifications.receive(confirmed(orderId));
    await notifications.runDeliveries();
    await notifications.query(`UPDATE notifications.message SET state = 'pending', sent_at = NULL`);
    await notifications.runSideEffectsAgain();

    const [link, ...others] = linksOn((await notifications.get('/mailbox')).body);
    expect(others).toEqual([]);
    expect((await notifications.get('/v1/notifications')).body.items).toMatchObject([{ state: 'sent', attempts: 2 }]);
    const read = async (view: string) => (await notifications.get(`${link}?view=${view}`)).body;
    expect(await read('html')).toContain('<iframe title="The mail as HTML" sandbox=""');
    expect(await read('text')).toContain('Thank you, Maria Anders!');
    expect(await read('headers')).toContain('To: maria@customer.example\nSubject: Your order');
    expect(await read('headers')).toMatch(/Auto-Submitted: auto-generated\n[^]*X-Correlation-Id: /);
    expect(await read('text')).toContain(`<a href="/v1/orders/${orderId}">${orderId}</a>`);
    expect(await read('text')).toContain(`<a href="/v1/orders/${orderId}/timeline">Timeline</a>`);
  });

  test('links a mail about low stock to its product', async () => {
    await notifications.receive(StockRanLow({ sku: 'NW-11', name: 'Queso Cabrales', available: 4, reorderLevel: 30 }));
    await notifications.runDeliveries();

    const [link] = linksOn((await notifications.get('/mailbox?limit=1')).body);

    const { body } = await notifications.get(link ?? '');
    expect(body).toContain('<dd>operators@orderly.example</dd>');
    expect(body).toContain('<a href="/v1/products/NW-11">NW-11</a>');
  });

  test('shows texts that people typed, and never runs them', async () => {
    const customer = { name: '</iframe>"><script>alert(1)</script>', email: 'maria@customer.example' };
    await notifications.receive(OrderDelivered({ orderId: uuidv7(), customer }));
    await notifications.runDeliveries();

    const list = await notifications.get('/mailbox');
    const [link] = linksOn(list.body);
    const views = await Promise.all(
      ['html', 'text', 'headers'].map((view) => notifications.get(`${link}?view=${view}`)),
    );

    for (const { status, headers, body } of [list, ...views]) {
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(body).not.toContain('<script');
    }
  });

  test('is read page by page, newest first', async () => {
    const orderIds = [uuidv7(), uuidv7(), uuidv7()];
    for (const orderId of orderIds) await notifications.receive(confirmed(orderId));
    await notifications.runDeliveries();

    const first = (await notifications.get('/mailbox?limit=2')).body;
    const cursor = /href="\/mailbox\?cursor=([^"]+)"/.exec(first)?.[1];
    const second = (await notifications.get(`/mailbox?limit=1&cursor=${cursor}`)).body;

    const pages = await Promise.all([...linksOn(first), ...linksOn(second)].map((link) => notifications.get(link)));
    const found = pages.map(({ body }) => /\/v1\/orders\/([0-9a-f-]{36})"/.exec(body)?.[1]);
    expect(found).toEqual(orderIds.toReversed());
  });

  test('refuses unknown and malformed ids', async () => {
    const missing = await notifications.get(`/mailbox/${uuidv7()}`);

    expect(missing).toMatchObject({ status: 404, body: { code: 'mail-not-found' } });
    expect(missing.headers['content-type']).toBe('application/problem+json');
    expect((await notifications.get('/mailbox/not-an-id')).status).toBe(400);
    expect((await notifications.get('/mailbox?cursor=nonsense')).status).toBe(400);
    expect((await notifications.get(`/mailbox/${uuidv7()}?view=source`)).status).toBe(400);
  });

  test('is deleted with its tables when the migrations are reverted', async () => {
    const runner = notifications.app.get(Database).dataSource.createQueryRunner();
    const migrations = definitionOf(NotificationsModule).migrations.map((Migration) => new Migration());
    await runner.startTransaction();

    for (const migration of migrations.toReversed()) await migration.down(runner);

    expect(await runner.hasSchema('notifications')).toBe(false);
    await runner.rollbackTransaction();
    await runner.release();
  });
});

test.each([
  ['Our Shop <shop@shop.example>', { name: 'Our Shop', address: 'shop@shop.example' }],
  ['"Shop, Inc." <shop@shop.example>', { name: 'Shop, Inc.', address: 'shop@shop.example' }],
  ['shop@shop.example', { name: 'shop.example', address: 'shop@shop.example' }],
])('the sender %s has a name and an address', (from, sender) => {
  expect(senderOf(from)).toEqual(sender);
});

test.each(['Our Shop', 'Our Shop <>', 'shop'])('%s is no sender', (from) => {
  expect(() => senderOf(from)).toThrow('MAIL_FROM: give a sender such as "Our Shop <shop@example.com>"');
});
