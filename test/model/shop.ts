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
import { HandlerOutcomes } from './handler-outcomes.js';
import { SalesModule } from './sales.module.js';
import { type ObservedDelivery, type ShopState, STATE_SQL, type StateRow } from './shop-state.js';
import { type DeathPoint, SimulatedProcess } from './simulated-process.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: any;
}

/** Initial stock at the beginning of every history. */
export const OPENING: Readonly<Record<string, number>> = { JAM: 2, RYE: 5, TEA: 9 };
export const REORDER_LEVEL = 2;

const ALL_MODULES = [...MODULES, SalesModule];

const MODULES_OF_QUEUES = ALL_MODULES.map((module) => definitionOf(module).name);

/** Not an invariant here: an operator may replay a delivery after later ones of its partition have run. */
const { 'no delivery is done before an earlier one of its partition': _, ...LASTING } = INVARIANTS;

const EXPIRE_LEASES = `
  UPDATE backbone.delivery SET lease_until = clock_timestamp() WHERE lease_until > clock_timestamp()`;

@Module({})
class Everything {}

interface Mailer {
  send(mail: { messageId: string }, signal: AbortSignal): Promise<string>;
}

/**
 * The whole shop on a real database. The test takes jobs from the queue itself, and e-mails are only recorded. Nothing
 * runs between two steps, so a history is deterministic.
 */
export class ModelShop {
  /** Jobs by their ids, oldest first. */
  readonly queue = new Map<string, DeliveryRef>();
  readonly outcomes: HandlerOutcomes;
  private readonly runner: DeliveryRunner;
  private deliveries: readonly ObservedDelivery[] = [];
  /** Event ids of the sent e-mails. */
  private mailed: string[] = [];
  /** Position of the last event before a history. */
  private baseline = '0';

  private constructor(
    private readonly testDatabase: TestDatabase,
    private readonly dataSource: DataSource,
    readonly boundary: Boundary,
    private readonly app: NestFastifyApplication,
    private readonly observer: Client,
  ) {
    this.outcomes = app.get(HandlerOutcomes, { strict: false });
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

  /** Restores the initial state. */
  async reset(): Promise<void> {
    const opening = Object.entries(OPENING).map(([sku, onHand]) => `('${sku}', ${onHand})`);
    this.queue.clear();
    this.mailed = [];
    this.outcomes.plan();
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

  /** @param diesAt point at which the process dies, and the answer is lost */
  async post(
    path: string,
    body: object,
    headers: Record<string, string> = {},
    diesAt?: DeathPoint,
  ): Promise<Answer | undefined> {
    return this.runInOwnProcess(() => this.ask(path, body, headers), diesAt);
  }

  async ask(path: string, payload: object | string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.app.inject({ method: 'POST', url: `/v1/${path}`, headers, payload });
    return { status: response.statusCode, headers: response.headers, body: response.json() };
  }

  /** Runs a job or a delivery in its own process, as a worker does. */
  async run(ref: DeliveryRef, diesAt?: DeathPoint): Promise<void> {
    await this.runInOwnProcess(() => this.work(ref), diesAt);
  }

  /** Runs work in its own simulated process. Returns undefined if the process dies. */
  async runInOwnProcess<Result>(work: () => Promise<Result>, diesAt?: DeathPoint): Promise<Result | undefined> {
    const simulated = new SimulatedProcess(diesAt);
    try {
      const result = await this.runIn(simulated, work);
      if (!simulated.hasDied) return result;
    } catch (error) {
      if (!simulated.hasDied) throw error;
    }
    await this.transactionsHaveEnded();
    return undefined;
  }

  /** Runs work in a simulated process with a name. */
  async runAs<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    return this.runIn(new SimulatedProcess(undefined, name), work);
  }

  /** The jobs in the queue, oldest first, by the names of the last call of readState(). */
  get jobs(): string[] {
    return [...this.queue.values()].map((ref) => this.jobOf(ref));
  }

  /** Removes a job from the queue. */
  take(job: string): DeliveryRef {
    const [id, ref] = [...this.queue].find(([, each]) => this.jobOf(each) === job) ?? [];
    if (!id || !ref) throw new Error(`There is no job ${job}`);
    this.queue.delete(id);
    return ref;
  }

  async work(ref: DeliveryRef): Promise<void> {
    await this.runner.run(ref);
  }

  /** Makes every pending delivery due. */
  async makeAllDue(): Promise<void> {
    await this.sql(`UPDATE backbone.delivery SET due_at = clock_timestamp() WHERE state = 'pending'`);
  }

  async expireLeases(): Promise<void> {
    await this.sql(EXPIRE_LEASES);
  }

  /** The same at a time that a schedule chooses. */
  async expireLeasesInTurn(): Promise<void> {
    await this.dataSource.query(EXPIRE_LEASES);
  }

  /** One round of the relay. */
  async relay(): Promise<void> {
    const subscribers = this.app.get(Subscriptions).all.map(({ name }) => name);
    this.app.get(Dispatcher).dispatch(await this.app.get(Deliveries).takeOverdue(subscribers, 500));
    await this.app.get(Dispatcher).idle();
  }

  async readState(): Promise<ShopState> {
    const [row] = await this.sql<StateRow>(STATE_SQL);
    if (!row) throw new Error('The state query returned no row');
    const { deliveries, ...rest } = row;
    this.deliveries = deliveries;
    const names = new Map(deliveries.filter(isMail).map(({ eventId, name }) => [eventId, name]));
    const mails: Record<string, number> = {};
    for (const each of this.mailed) mails[names.get(each) ?? each] = (mails[names.get(each) ?? each] ?? 0) + 1;
    const withMessage = deliveries.filter(({ message }) => message !== null);
    return {
      ...rest,
      deliveries: Object.fromEntries(deliveries.map(({ name, state }) => [name, state])),
      messages: Object.fromEntries(withMessage.map(({ name, message }) => [name, message ?? ''])),
      mails,
    };
  }

  /** A delivery as of the last call of readState(). */
  delivery(name: string): ObservedDelivery {
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

  /** Reads rows on a separate connection, which no schedule delays. */
  async sql<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.observer.query(statement, [...parameters]);
    return rows;
  }

  private async prepare(): Promise<void> {
    this.interceptQueues();
    this.interceptMailer();
    this.app.get(CrashPoints).pass = (point) => SimulatedProcess.current?.pass(point);
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

  private async runIn<Result>(simulated: SimulatedProcess, work: () => Promise<Result>): Promise<Result> {
    return simulated.run(async () => {
      try {
        return await work();
      } finally {
        await this.app.get(Dispatcher).idle();
      }
    });
  }

  private interceptQueues(): void {
    for (const module of MODULES_OF_QUEUES) {
      const queue: MonitoredQueue = this.app.get(getQueueToken(module), { strict: false });
      queue.addWithTimeout = async (jobs) => {
        SimulatedProcess.current?.assertAlive();
        for (const ref of jobs.flatMap(({ data }) => data)) this.queue.set(`${deliveryId(ref)}.${ref.claims}`, ref);
      };
    }
  }

  /** The class Mailer is internal to its module, so it is found among the providers. */
  private interceptMailer(): void {
    const providers = MODULES.flatMap((module) => [...definitionOf(module).providers]);
    const token = providers
      .flatMap((each) => ('provide' in each ? [each.provide as Type] : []))
      .find(({ name }) => name === 'Mailer');
    if (!token) throw new Error('No module provides a Mailer');
    const mailer: Mailer = this.app.get(token, { strict: false });
    const send = mailer.send.bind(mailer);
    mailer.send = async (mail, signal) => {
      await this.outcomes.apply();
      const answer = await send(mail, signal);
      this.mailed.push(mail.messageId.slice(1).split('.')[0] ?? '');
      SimulatedProcess.current?.pass('after-send');
      return answer;
    };
  }

  /** Waits until PostgreSQL has ended the transactions of a dead process, which hold locks until then. */
  private async transactionsHaveEnded(): Promise<void> {
    const sql = `SELECT FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
                    AND backend_type = 'client backend'`;
    while ((await this.sql(sql)).length > 0);
  }
}

function isMail({ subscriber }: ObservedDelivery): boolean {
  return subscriber.startsWith('notifications.');
}
