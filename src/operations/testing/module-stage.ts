import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { BackboneModule } from '../../backbone/backbone.module.js';
import { definitionOf } from '../../backbone/business-module.js';
import { DeliveryRunner } from '../../backbone/delivery/delivery-runner.js';
import { type DeliveryRef, deliveryId } from '../../backbone/delivery.js';
import type { Fact } from '../../backbone/domain-event.js';
import { EventLog } from '../../backbone/log/event-log.js';
import { databaseSchemaOf } from '../../backbone/program.js';
import { UnitOfWork } from '../../backbone/publishing/unit-of-work.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { createDataSource } from '../../common/database/data-source.js';
import { Database } from '../../common/database/database.js';
import { createSchemaWithRole } from '../../common/database/roles.js';
import { configureHttp, createAdapter } from '../../common/http/http-app.js';
import { createLogger } from '../../common/logging/logger.js';
import { TestDatabase } from '../../common/testing/test-database.js';
import { CONFIG, readConfig } from '../../config.js';
import { OperationsModule } from '../operations.module.js';
import { type Answer, send } from './stage-request.js';

@Module({})
class Stage {}

/**
 * Runs one module alone, or several together, for a test: it receives events of other modules and HTTP requests, and
 * the test reads its responses and the events that it publishes. Its rows are in a real database, and its SQL runs
 * under its own role.
 */
export class ModuleStage {
  private constructor(
    private readonly modules: readonly Type[],
    private readonly testDatabase: TestDatabase,
    readonly dataSource: DataSource,
    readonly app: NestFastifyApplication,
    private readonly sharesDatabase: boolean,
  ) {}

  /**
   * @param types one module, or several in the sequence in which their reactions run
   * @param settings environment variables that differ from the defaults of tests
   * @param host a stage whose database this one shares, as two builds of a program do that run side by side
   */
  static async of(
    types: Type | readonly Type[],
    settings: Readonly<Record<string, string>> = {},
    host?: ModuleStage,
  ): Promise<ModuleStage> {
    const config = readConfig({
      NODE_ENV: 'test',
      MODULE_ROLES: 'enforced',
      WORKERS: 'off',
      LOG_LEVEL: 'fatal',
      ...settings,
    });
    const modules = [types].flat();
    const testDatabase = host?.testDatabase ?? (await TestDatabase.create());
    const schema = databaseSchemaOf(modules, OperationsModule.migrations);
    const dataSource = await createDataSource({ url: testDatabase.url, poolSize: 5, ...schema }).initialize();
    for (const module of modules) await createSchemaWithRole(dataSource.manager, definitionOf(module).name);
    const database = new Database(dataSource, config.database);
    const backbone = BackboneModule.of({
      settings: config,
      database,
      databaseUrl: testDatabase.url,
      modules,
      isWhole: false,
    });
    const stage = {
      module: Stage,
      global: true,
      imports: [backbone, OperationsModule.of(modules, config), ...modules],
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
    const app = await NestFactory.create<NestFastifyApplication>(stage, createAdapter(), {
      logger: createLogger(config.log),
      abortOnError: false,
    });
    configureHttp(app);
    await app.init();
    return new ModuleStage(modules, testDatabase, dataSource, app, host !== undefined);
  }

  /** Publishes facts of other modules in one transaction, in which the plain reactions run. */
  async receive(...facts: readonly Fact[]): Promise<void> {
    await this.app.get(UnitOfWork).run('backbone', async (tx) => {
      for (const fact of facts) tx.publish(fact);
    });
  }

  /** Publishes facts as a module in another process does: they are handled when their deliveries run. */
  async receiveAsDeliveries(...facts: readonly Fact[]): Promise<readonly DeliveryRef[]> {
    const log = new EventLog(new Subscriptions(this.modules, () => false));
    const events = facts.map((fact) => {
      const event = { ...fact, id: uuidv7(), correlationId: uuidv7(), causationId: null };
      return { event: { ...event, occurredAt: new Date().toISOString() }, reactions: [] };
    });
    return this.app.get(Database).transaction('backbone', async (session) => log.append(events, session));
  }

  /** The events that the modules of this stage have published so far, of one subject or of all. */
  async published(subject?: string): Promise<Fact[]> {
    return this.query(
      `SELECT type, subject, data FROM backbone.event
        WHERE split_part(type, '.', 1) = ANY ($1) AND ($2::text IS NULL OR subject = $2) ORDER BY position`,
      [this.modules.map((module) => definitionOf(module).name), subject],
    );
  }

  /**
   * Runs each pending delivery once, sorted by position, without waiting for the pause before a retry. Returns their
   * number.
   */
  async runDeliveries(): Promise<number> {
    const ran = new Set<string>();
    for (;;) {
      const [next] = await this.query<DeliveryRef>(
        `SELECT event_id AS "eventId", subscriber, claims FROM backbone.delivery
          WHERE state = 'pending' AND event_id || '.' || subscriber <> ALL ($1) ORDER BY position LIMIT 1`,
        [[...ran]],
      );
      if (!next) return ran.size;
      ran.add(deliveryId(next));
      await this.app.get(DeliveryRunner).run(next);
    }
  }

  /** Runs each delivery as often as a queue might: twice at the same time, and once more afterwards. */
  async runThrice(...deliveries: readonly DeliveryRef[]): Promise<void> {
    const runner = this.app.get(DeliveryRunner);
    for (const delivery of deliveries) {
      await Promise.all([runner.run(delivery), runner.run(delivery)]);
      await runner.run(delivery);
    }
  }

  /**
   * Runs every finished side effect again, as after a crash between its effect and the end of its delivery. Later
   * reactions commit their rows together with that end, so this cannot happen to them; `runThrice` tests those.
   */
  async runSideEffectsAgain(): Promise<number> {
    await this.query(`UPDATE backbone.delivery SET state = 'pending', attempts = 0 WHERE state = 'done'`);
    return this.runDeliveries();
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return send(this.app, { method: 'GET', url: path, headers });
  }

  /** @param body sent as JSON, or as newline-delimited JSON when it is a string */
  post(path: string, body?: object | string, headers: Record<string, string> = {}): Promise<Answer> {
    const contentType: Record<string, string> =
      typeof body === 'string' ? { 'content-type': 'application/x-ndjson' } : {};
    const request = { method: 'POST', url: path, headers: { ...contentType, ...headers } } as const;
    return send(this.app, body === undefined ? request : { ...request, payload: body });
  }

  put(path: string, body: object): Promise<Answer> {
    return send(this.app, { method: 'PUT', url: path, payload: body });
  }

  /** Runs SQL as the owner of all tables, not under the role of a module. */
  query<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.dataSource.query(statement, [...parameters]);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.dataSource.destroy();
    if (!this.sharesDatabase) await this.testDatabase.drop();
  }
}
