import { getQueueToken } from '@nestjs/bullmq';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { MODULES } from '../../src/app.module.js';
import { BackboneModule } from '../../src/backbone/backbone.module.js';
import { definitionOf } from '../../src/backbone/business-module.js';
import { CrashPoints } from '../../src/backbone/crash-points.js';
import { Deliveries } from '../../src/backbone/delivery/deliveries.js';
import { DeliveryRunner } from '../../src/backbone/delivery/delivery-runner.js';
import { type DeliveryRef, deliveryId } from '../../src/backbone/delivery.js';
import { databaseSchemaOf } from '../../src/backbone/program.js';
import { Dispatcher } from '../../src/backbone/queue/dispatcher.js';
import type { MonitoredQueue } from '../../src/backbone/queue/monitored-queue.js';
import { Subscriptions } from '../../src/backbone/registry/subscriptions.js';
import { createDataSource, migrate } from '../../src/common/database/data-source.js';
import { Database } from '../../src/common/database/database.js';
import { configureHttp, createAdapter } from '../../src/common/http/http-app.js';
import { createLogger } from '../../src/common/logging/logger.js';
import { TestDatabase } from '../../src/common/testing/test-database.js';
import { CONFIG, readConfig } from '../../src/config.js';
import { OperationsModule } from '../../src/operations/operations.module.js';
import { INVARIANTS, MAILBOX_INVARIANTS, type Subscriber, violationsIn } from '../support/invariants.js';
import { aProduct } from '../support/words.js';
import { Boundary } from './boundary.js';
import { type Death, Life } from './lives.js';
import { Luck } from './luck.js';
import { SalesModule } from './sales.module.js';
import { type Picture, type SeenDelivery, SIGHT, type Sight } from './sight.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: any;
}

/** What the shop opens with, in every history. */
export const OPENING: Readonly<Record<string, number>> = { JAM: 2, RYE: 5, TEA: 9 };
export const REORDER_LEVEL = 2;

const ALL_MODULES = [...MODULES, SalesModule];

const MODULES_OF_QUEUES = ALL_MODULES.map((module) => definitionOf(module).name);

/** Not an invariant here: an operator may replay a delivery after later ones of its partition have run. */
const { 'no delivery is done before an earlier one of its partition': _, ...LASTING } = INVARIANTS;

const LEASES_END = `
  UPDATE backbone.delivery SET lease_until = clock_timestamp() WHERE lease_until > clock_timestamp()`;

@Module({})
class Everything {}

interface Mailer {
  send(mail: { messageId: string }, signal: AbortSignal): Promise<string>;
}

/**
 * The whole shop on a real database. Only its queue is a hand that the test moves, and its mail server keeps a list.
 * All of it stands still between two commands, so a history is the same whenever it is played.
 */
export class ModelShop {
  /** Jobs by their ids, oldest first. */
  readonly queue = new Map<string, DeliveryRef>();
  readonly luck: Luck;
  private readonly runner: DeliveryRunner;
  private deliveries: readonly SeenDelivery[] = [];
  /** Ids of the events that each mail is about. */
  private mailed: string[] = [];
  /** Ends of the tables, before anything has happened. */
  private baseline = '0';

  private constructor(
    private readonly testDatabase: TestDatabase,
    private readonly dataSource: DataSource,
    readonly boundary: Boundary,
    private readonly app: NestFastifyApplication,
    private readonly observer: Client,
  ) {
    this.luck = app.get(Luck, { strict: false });
    this.runner = app.get(DeliveryRunner);
  }

  static async open(): Promise<ModelShop> {
    const config = readConfig({ NODE_ENV: 'test', WORKERS: 'off', WORKER_CONCURRENCY: '1', LOG_LEVEL: 'fatal' });
    const testDatabase = await TestDatabase.create();
    const { url } = testDatabase;
    const schema = databaseSchemaOf(ALL_MODULES, OperationsModule.migrations);
    const dataSource = await createDataSource({ url, poolSize: 8, ...schema }).initialize();
    await migrate(dataSource);
    const boundary = new Boundary(dataSource);
    const database = new Database(dataSource, config.database);
    const options = { settings: config, database, databaseUrl: url, modules: ALL_MODULES, isWhole: true };
    const everything = {
      module: Everything,
      global: true,
      imports: [BackboneModule.of(options), OperationsModule.of(ALL_MODULES, config), ...ALL_MODULES],
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
    const app = await NestFactory.create<NestFastifyApplication>(everything, createAdapter(), {
      logger: createLogger(config.log),
      abortOnError: false,
    });
    configureHttp(app);
    await app.init();
    const observer = new Client({ connectionString: url });
    await observer.connect();
    const shop = new ModelShop(testDatabase, dataSource, boundary, app, observer);
    await shop.prepare();
    return shop;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.dataSource.destroy();
    await this.observer.end();
    await this.testDatabase.drop();
  }

  /** Nothing has happened yet. */
  async reset(): Promise<void> {
    const opening = Object.entries(OPENING).map(([sku, onHand]) => `('${sku}', ${onHand})`);
    this.queue.clear();
    this.mailed = [];
    this.luck.plan();
    this.boundary.loss = undefined;
    await this.sql(`
      SET session_replication_role = replica;
      DELETE FROM backbone.delivery; DELETE FROM backbone.operation; DELETE FROM backbone.paused_subscriber;
      DELETE FROM backbone.idempotency_key; DELETE FROM sales.sale;
      DELETE FROM notifications.message; DELETE FROM notifications.mailbox_mail;
      DELETE FROM orders.order_line; DELETE FROM orders."order";
      DELETE FROM inventory.reservation; DELETE FROM inventory.movement WHERE id > ${Object.keys(OPENING).length};
      DELETE FROM backbone.event WHERE position > ${this.baseline};
      UPDATE orders.price SET is_sold = true; UPDATE inventory.product SET status = 'active';
      UPDATE inventory.stock s SET on_hand = o.on_hand, reserved = 0
        FROM (VALUES ${opening.join()}) AS o(sku, on_hand) WHERE o.sku = s.sku;
      SET session_replication_role = origin`);
  }

  /** @param diesAt where the process dies that works on it; its answer is lost then */
  async post(
    path: string,
    body: object,
    headers: Record<string, string> = {},
    diesAt?: Death,
  ): Promise<Answer | undefined> {
    return this.live(() => this.ask(path, body, headers), diesAt);
  }

  async ask(path: string, payload: object | string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.app.inject({ method: 'POST', url: `/v1/${path}`, headers, payload });
    return { status: response.statusCode, headers: response.headers, body: response.json() };
  }

  /** Runs a job or a delivery, as a worker does. */
  async run(ref: DeliveryRef, diesAt?: Death): Promise<void> {
    await this.live(() => this.work(ref), diesAt);
  }

  /** Works in a process of its own until it ends or dies. */
  async live<Result>(work: () => Promise<Result>, diesAt?: Death): Promise<Result | undefined> {
    const life = new Life(diesAt);
    try {
      const result = await this.spend(life, work);
      if (!life.isOver) return result;
    } catch (error) {
      if (!life.isOver) throw error;
    }
    await this.connectionsHaveEnded();
    return undefined;
  }

  /** Works in a process that goes by a name. */
  async as<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    return this.spend(new Life(undefined, name), work);
  }

  /** What is in the queue, oldest first, as far as it was there when the shop was last looked at. */
  get jobs(): string[] {
    return [...this.queue.values()].map((ref) => this.jobOf(ref));
  }

  /** Takes a job out of the queue. */
  take(job: string): DeliveryRef {
    const [id, ref] = [...this.queue].find(([, each]) => this.jobOf(each) === job) ?? [];
    if (!id || !ref) throw new Error(`There is no job ${job}`);
    this.queue.delete(id);
    return ref;
  }

  async work(ref: DeliveryRef): Promise<void> {
    await this.runner.run(ref);
  }

  /** Long enough for every pause to be over, and for every job that has vanished to be missed. */
  async timePasses(): Promise<void> {
    await this.sql(`UPDATE backbone.delivery SET due_at = clock_timestamp() WHERE state = 'pending'`);
  }

  async leasesEnd(): Promise<void> {
    await this.sql(LEASES_END);
  }

  /** The same at a moment that a schedule chooses. */
  async leasesEndInTurn(): Promise<void> {
    await this.dataSource.query(LEASES_END);
  }

  /** One round of the relay. */
  async relay(): Promise<void> {
    const subscribers = this.app.get(Subscriptions).all.map(({ name }) => name);
    this.app.get(Dispatcher).dispatch(await this.app.get(Deliveries).takeOverdue(subscribers, 500));
    await this.app.get(Dispatcher).idle();
  }

  async look(): Promise<Picture> {
    const [sight] = await this.sql<Sight>(SIGHT);
    if (!sight) throw new Error('There is nothing to see');
    const { deliveries, ...rest } = sight;
    this.deliveries = deliveries;
    const names = new Map(deliveries.filter(isMail).map(({ eventId, name }) => [eventId, name]));
    const mails: Record<string, number> = {};
    for (const each of this.mailed) mails[names.get(each) ?? each] = (mails[names.get(each) ?? each] ?? 0) + 1;
    const told = deliveries.filter(({ message }) => message !== null);
    return {
      ...rest,
      deliveries: Object.fromEntries(deliveries.map(({ name, state }) => [name, state])),
      messages: Object.fromEntries(told.map(({ name, message }) => [name, message ?? ''])),
      mails,
    };
  }

  /** As it was when the shop was last looked at. */
  delivery(name: string): SeenDelivery {
    const found = this.deliveries.find((each) => each.name === name);
    if (!found) throw new Error(`There is no delivery ${name}`);
    return found;
  }

  nameOf({ eventId, subscriber }: DeliveryRef): string {
    const found = this.deliveries.find((each) => each.eventId === eventId && each.subscriber === subscriber);
    return found?.name ?? `${subscriber} of ${eventId}`;
  }

  async idOf(reference: string): Promise<string> {
    const [order] = await this.sql<{ id: string }>('SELECT id FROM orders."order" WHERE reference = $1', [reference]);
    if (!order) throw new Error(`There is no ${reference}`);
    return order.id;
  }

  async violations(): Promise<Record<string, unknown[]>> {
    const subscribers: Subscriber[] = this.app
      .get(Subscriptions)
      .all.map(({ name, contract, retired }) => ({ name, event: contract.type, retired }));
    return violationsIn(this, subscribers, { ...LASTING, ...MAILBOX_INVARIANTS });
  }

  /** Looks at rows, past the boundary. */
  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.observer.query(statement, [...parameters]);
    return rows;
  }

  private async prepare(): Promise<void> {
    this.takeQueues();
    this.takeMails();
    this.app.get(CrashPoints).pass = (point) => Life.current?.pass(point);
    const products = Object.entries(OPENING).map(([sku, onHand]) =>
      JSON.stringify(aProduct(sku, onHand, { reorderLevel: REORDER_LEVEL })),
    );
    const headers = { 'content-type': 'application/x-ndjson' };
    await this.ask('products/import', products.join('\n'), headers);
    const [end] = await this.sql<{ position: string }>('SELECT max(position) AS position FROM backbone.event');
    this.baseline = end?.position ?? '0';
  }

  private jobOf(ref: DeliveryRef): string {
    return `${this.nameOf(ref)}, ${ref.claims} claims`;
  }

  private async spend<Result>(life: Life, work: () => Promise<Result>): Promise<Result> {
    return life.live(async () => {
      try {
        return await work();
      } finally {
        await this.app.get(Dispatcher).idle();
      }
    });
  }

  private takeQueues(): void {
    for (const module of MODULES_OF_QUEUES) {
      const queue: MonitoredQueue = this.app.get(getQueueToken(module), { strict: false });
      queue.addWithTimeout = async (jobs) => {
        Life.current?.assertAlive();
        for (const ref of jobs.flatMap(({ data }) => data)) this.queue.set(`${deliveryId(ref)}.${ref.claims}`, ref);
      };
    }
  }

  /** Outsiders cannot import the class that mails are sent by, but the module that provides it can be asked. */
  private takeMails(): void {
    const providers = MODULES.flatMap((module) => [...definitionOf(module).providers]);
    const token = providers
      .flatMap((each) => ('provide' in each ? [each.provide as Type] : []))
      .find(({ name }) => name === 'Mailer');
    if (!token) throw new Error('Nobody provides a Mailer');
    const mailer: Mailer = this.app.get(token, { strict: false });
    const send = mailer.send.bind(mailer);
    mailer.send = async (mail, signal) => {
      await this.luck.meet();
      const answer = await send(mail, signal);
      this.mailed.push(mail.messageId.slice(1).split('.')[0] ?? '');
      Life.current?.pass('mail-is-out');
      return answer;
    };
  }

  /** PostgreSQL may notice a moment later that a process is gone, and holds its locks until then. */
  private async connectionsHaveEnded(): Promise<void> {
    const sql = `SELECT FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
                    AND backend_type = 'client backend'`;
    while ((await this.sql(sql)).length > 0);
  }
}

function isMail({ subscriber }: SeenDelivery): boolean {
  return subscriber.startsWith('notifications.');
}
