import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { SMTPServer } from 'smtp-server';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { createDataSource, migrate } from '../common/database/data-source.js';
import { Database } from '../common/database/database.js';
import { CrashPoints } from '../common/events/crash-points.js';
import { Dispatcher } from '../common/events/dispatcher.js';
import type { DomainEvent, Fact } from '../common/events/domain-event.js';
import { EventLog } from '../common/events/event-log.js';
import { Handlers } from '../common/events/handlers.js';
import { ImmediateLane } from '../common/events/immediate-lane.js';
import { GiveUp } from '../common/events/outcomes.js';
import { Subscriptions } from '../common/events/subscriptions.js';
import { UnitOfWork } from '../common/events/unit-of-work.js';
import { configureHttp, createAdapter } from '../common/http/http-app.js';
import { definitionOf } from '../common/module-definition.js';
import { CONFIG, readConfig } from '../config.js';
import { StockRanLow } from '../inventory/inventory.events.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderRejected,
  OrderShipped,
} from '../orders/orders.events.js';
import { NotificationsModule } from './notifications.module.js';
import { NotificationsReactions } from './notifications.reactions.js';
import { NotificationsService } from './notifications.service.js';

const SERVER = 'postgresql://postgres@127.0.0.1:5432';
const databaseName = `notifications_spec_${process.pid}`;
const closing: (() => unknown)[] = [];
let dataSource: DataSource;

beforeAll(async () => {
  await onServer(`CREATE DATABASE ${databaseName}`);
  const modules = [definitionOf(NotificationsModule)];
  dataSource = await createDataSource({ url: `${SERVER}/${databaseName}`, poolSize: 5, modules }).initialize();
  await migrate(dataSource);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await dataSource.query('TRUNCATE notifications.message, notifications.mailbox_mail');
});
afterAll(async () => {
  await dataSource.destroy();
  await onServer(`DROP DATABASE ${databaseName}`);
});

async function onServer(sql: string): Promise<void> {
  const client = new Client(`${SERVER}/postgres`);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The module with its own rows, its own role, and nothing around it. */
async function aShop(environment: Record<string, string> = {}) {
  const config = readConfig({ MAIL_FROM: 'Northwind <shop@northwind.example>', ...environment });
  const own = [
    { provide: CONFIG, useValue: config },
    { provide: Database, useValue: new Database(dataSource, { enforceRoles: true }) },
    { provide: CrashPoints, useValue: new CrashPoints(null) },
    { provide: Subscriptions, useValue: new Subscriptions([NotificationsModule], () => true) },
  ];
  const providers = [...own, Handlers, ImmediateLane, EventLog, Dispatcher, UnitOfWork];
  class Surroundings {}
  Global()(Surroundings);
  Module({ imports: [EventEmitterModule.forRoot()], providers, exports: [CONFIG, Database, UnitOfWork] })(Surroundings);
  class Shop {}
  Module({ imports: [Surroundings, NotificationsModule] })(Shop);
  const app = await NestFactory.create<NestFastifyApplication>(Shop, createAdapter(), {
    logger: false,
    abortOnError: false,
  });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  closing.push(() => app.close());
  const url = await app.getUrl();
  const get = async (path: string) => {
    const answer = await fetch(url + path);
    const body = await answer.text();
    return { status: answer.status, headers: answer.headers, body, json: () => JSON.parse(body) };
  };
  return { reactions: app.get(NotificationsReactions), service: app.get(NotificationsService), get };
}

/** A mail server that gives these answers to its recipients, one after the other, and then takes everything. */
async function aMailServer(...answers: number[]) {
  const messageIds: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo({ address }, _session, done) {
      const responseCode = answers.shift() ?? 250;
      if (responseCode === 250) done();
      else done(Object.assign(new Error(`no luck with ${address}`), { responseCode }));
    },
    onData(stream, _session, done) {
      let content = '';
      stream.on('data', (chunk: Buffer) => (content += chunk.toString()));
      stream.on('end', () => {
        messageIds.push(/^Message-ID:\s+(\S+)/im.exec(content)?.[1] ?? '');
        done(null, 'queued');
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  closing.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return { messageIds, url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}` };
}

const orderId = uuidv7();
const customer = { name: 'Maria Anders', email: 'maria@customer.example' };
const money = { amount: 21_600, currency: 'USD' };
const anEvent = <Data>({ type, subject, data }: Fact<Data>): DomainEvent<Data> => {
  const ids = { id: uuidv7(), correlationId: 'req-1', causationId: null };
  return { type, subject, data, ...ids, occurredAt: new Date().toISOString() };
};
const aConfirmation = () => {
  const lines = [{ sku: 'NW-1', name: 'Chai', quantity: 12, lineTotal: money }];
  return anEvent(OrderConfirmed({ orderId, customer, lines, total: money }));
};
const attempt = (lastAttempt = false) => ({ signal: new AbortController().signal, attempt: 1, lastAttempt });

const stories: [string, string, (reactions: NotificationsReactions) => () => Promise<void>][] = [
  ['order-confirmed', customer.email, (to) => bound(aConfirmation(), (it) => to.emailConfirmation(it, attempt()))],
  [
    'order-rejected',
    customer.email,
    (to) => {
      const lines = [{ sku: 'NW-1', name: 'Chai', requested: 40, available: 39 }];
      const event = anEvent(OrderRejected({ orderId, customer, reason: 'Stock ran short', lines }));
      return bound(event, (it) => to.emailRejection(it, attempt()));
    },
  ],
  [
    'order-cancelled',
    customer.email,
    (to) => {
      const event = anEvent(OrderCancelled({ orderId, customer, reason: 'Ordered twice' }));
      return bound(event, (it) => to.emailCancellation(it, attempt()));
    },
  ],
  [
    'order-shipped',
    customer.email,
    (to) => {
      const event = anEvent(OrderShipped({ orderId, customer, carrier: 'Federal', trackingNumber: '1Z' }));
      return bound(event, (it) => to.emailShipment(it, attempt()));
    },
  ],
  [
    'order-delivered',
    customer.email,
    (to) => bound(anEvent(OrderDelivered({ orderId, customer })), (event) => to.emailDelivery(event, attempt())),
  ],
  [
    'stock-ran-low',
    'operators@orderly.example',
    (to) => {
      const event = anEvent(StockRanLow({ sku: 'NW-1', name: 'Chai', available: 4, reorderLevel: 10 }));
      return bound(event, (it) => to.emailLowStock(it, attempt()));
    },
  ],
];

function bound<Event>(event: Event, run: (event: Event) => Promise<void>): () => Promise<void> {
  return () => run(event);
}

test.each(stories)('%s, heard twice, is one mail to %s', async (template, recipient, story) => {
  const server = await aMailServer();
  const { reactions, get } = await aShop({ SMTP_URL: server.url });
  const hear = story(reactions);

  await hear();
  await hear();

  const { items } = (await get('/v1/notifications')).json();
  expect(items).toMatchObject([{ template, recipient, channel: 'email', state: 'sent', attempts: 1 }]);
  expect(server.messageIds).toEqual([`<${items[0].eventId}.${template}@northwind.example>`]);
});

test('a mail that the server puts off stays pending, is tried again and sent', async () => {
  const server = await aMailServer(451);
  const { reactions, service, get } = await aShop({ SMTP_URL: server.url });
  const event = aConfirmation();

  await expect(reactions.emailConfirmation(event, attempt())).rejects.toThrow('451');
  expect((await get('/v1/notifications?state=pending')).json().items).toHaveLength(1);
  expect(await dataSource.query('SELECT last_error FROM notifications.message')).toEqual([
    { last_error: expect.stringMatching(/\*\*\*@customer\.example/) },
  ]);
  await reactions.emailConfirmation(event, attempt());

  expect(server.messageIds).toHaveLength(1);
  expect(await service.messagesOf([event.id, uuidv7()])).toEqual([
    {
      kind: 'message',
      eventId: event.id,
      template: 'order-confirmed',
      channel: 'email',
      state: 'sent',
      attempts: 2,
      at: expect.any(String),
      sentAt: expect.any(String),
    },
  ]);
});

test('the last attempt leaves a failed message, which an operator may still have sent', async () => {
  const server = await aMailServer(451);
  const { reactions, get } = await aShop({ SMTP_URL: server.url });
  const event = aConfirmation();

  await expect(reactions.emailConfirmation(event, attempt(true))).rejects.toThrow('451');
  expect((await get('/v1/notifications?state=failed')).json().items).toHaveLength(1);
  await reactions.emailConfirmation(event, attempt());

  expect((await get('/v1/notifications?state=sent')).json().items).toHaveLength(1);
});

test('a recipient whom the server refuses for good is given up at once', async () => {
  const { reactions, get } = await aShop({ SMTP_URL: (await aMailServer(550)).url });

  await expect(reactions.emailConfirmation(aConfirmation(), attempt())).rejects.toBeInstanceOf(GiveUp);

  expect((await get('/v1/notifications')).json().items).toMatchObject([{ state: 'failed', attempts: 1, sentAt: null }]);
});

test('the ledger is read by subject and page by page, newest first', async () => {
  const { reactions, get } = await aShop();
  const events = [aConfirmation(), aConfirmation(), aConfirmation()];
  for (const event of events) await reactions.emailConfirmation(event, attempt());

  const first = (await get(`/v1/notifications?subject=${orderId}&limit=2`)).json();
  const second = (await get(`/v1/notifications?subject=${orderId}&limit=2&cursor=${first.nextCursor}`)).json();

  const seen = [...first.items, ...second.items].map(({ eventId }) => eventId);
  expect(seen).toEqual(events.map(({ id }) => id).reverse());
  expect(second.nextCursor).toBeNull();
  expect((await get('/v1/notifications?subject=NW-11')).json()).toEqual({ items: [], nextCursor: null });
  expect((await get('/v1/notifications?colour=red')).status).toBe(400);
});

test('without a mail server mails are read in the mailbox, and nothing in them becomes its markup', async () => {
  const { reactions, get } = await aShop();
  const hostile = { name: '<script>alert(1)</script>', email: 'maria@customer.example' };
  await reactions.emailDelivery(anEvent(OrderDelivered({ orderId, customer: hostile })), attempt());

  const list = await get('/mailbox');
  const link = /\/mailbox\/[0-9a-f-]{36}/.exec(list.body)?.[0] ?? '';
  const pages = await Promise.all(['', '?view=text', '?view=headers'].map((view) => get(link + view)));

  expect(list.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
  for (const { body, headers } of [list, ...pages]) {
    expect(body).not.toContain('<script');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
  expect(pages[0]?.body).toContain(`href="/v1/orders/${orderId}/timeline"`);
  expect(pages[0]?.body).toContain('sandbox=""');
});

test('a mail that is not there is a problem, and so is an id that is none', async () => {
  const { get } = await aShop();

  const missing = await get(`/mailbox/${uuidv7()}`);

  expect(missing.status).toBe(404);
  expect(missing.json()).toMatchObject({ code: 'mail-not-found' });
  expect(missing.headers.get('content-type')).toContain('application/problem+json');
  expect((await get('/mailbox/not-an-id')).status).toBe(400);
});

test('a sender without an address is a mistake that the start names', async () => {
  await expect(aShop({ MAIL_FROM: 'Northwind' })).rejects.toThrow('MAIL_FROM');
});

test('the migration can be undone', async () => {
  const runner = dataSource.createQueryRunner();
  const [migration] = definitionOf(NotificationsModule).migrations.map((Migration) => new Migration());
  await runner.startTransaction();
  await migration?.down(runner);
  expect(await runner.hasSchema('notifications')).toBe(false);
  await runner.rollbackTransaction();
  await runner.release();
});
