import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { ConfigInvalid } from '../common/config/environment.js';
import type { DataSourceOptions } from '../common/database/data-source.js';
import { Database } from '../common/database/database.js';
import { openDatabase, rethrowMissingRights } from '../common/database/open-database.js';
import { assertRolesUsable } from '../common/database/roles.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../common/embedded-postgres/embedded-postgres.js';
import { configureHttp, createAdapter } from '../common/http/http-app.js';
import { listen } from '../common/http/listen.js';
import { createLogger } from '../common/logging/logger.js';
import { HealthChecks } from '../common/monitoring/health-checks.js';
import { type ApiInfo, serveOpenApi } from '../common/open-api/open-api.js';
import { waitAtMost } from '../common/timing/with-timeout.js';
import { BackboneModule, type BackboneOptions } from './backbone.module.js';
import type { BackboneSettings } from './backbone.settings.js';
import { definitionOf } from './business-module.js';
import { migrateQueues } from './queue/queues.js';

/** Without an answer of the database its connections would take long to end; they end with the process. */
const DISCONNECT_MS = 500;

type Migrations = DataSourceOptions['migrations'];

/** A program of business modules on the backbone. */
export interface Program {
  readonly settings: BackboneSettings;
  /** In the sequence in which their reactions run. */
  readonly modules: readonly Type[];
  /** Of rooms between the modules and the backbone. */
  readonly migrations?: Migrations;
  readonly api: ApiInfo;
  /** Makes the root module, which imports the backbone and the modules. */
  root(database: Pick<BackboneOptions, 'database' | 'databaseUrl'>): DynamicModule;
}

/** A program that serves requests. */
export interface RunningProgram {
  readonly settings: BackboneSettings;
  readonly app: NestFastifyApplication;
  /** Its address for a client on this machine. */
  readonly url: string;
  readonly dataSource: DataSource;
  readonly postgres: EmbeddedPostgres | null;
  /** Answers accepted requests, lets running handlers end, and closes everything in sequence. */
  stop(): Promise<void>;
}

/** Starts in sequence: database, tables, queues, modules, HTTP. When a step fails, the steps before it are undone. */
export async function startProgram(program: Program): Promise<RunningProgram> {
  const { settings, modules } = program;
  assertModulesKnown(settings, modules);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const { url: givenUrl, dataFolder, poolSize, enforceRoles } = settings.database;
    const postgres = givenUrl === 'embedded' ? await startEmbeddedPostgres({ dataFolder }) : null;
    if (postgres) stops.push(() => postgres.stop());
    const databaseUrl = postgres?.url ?? givenUrl;
    const schema = databaseSchemaOf(modules, program.migrations);
    const dataSource = await openDatabase({ url: databaseUrl, poolSize, ...schema });
    stops.push(() => waitAtMost(DISCONNECT_MS, dataSource.destroy()));
    const names = modules.map((module) => definitionOf(module).name);
    if (enforceRoles) await assertRolesUsable(dataSource, names);
    if (!settings.queue.redisUrl) await migrateQueues(databaseUrl).catch(rethrowMissingRights);
    const database = new Database(dataSource, { enforceRoles });
    const options = { logger: createLogger(settings.log), abortOnError: false };
    const root = program.root({ database, databaseUrl });
    const app = await NestFactory.create<NestFastifyApplication>(root, createAdapter(), options);
    stops.push(() => app.close());
    configureHttp(app);
    serveOpenApi(app, program.api);
    await app.init();
    const url = await listen(app, settings.http);
    const health = app.get(HealthChecks);
    stops.push(async () => health.markStopping());
    return { settings, app, url, dataSource, postgres, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The entities and migrations of a program's database. */
export function databaseSchemaOf(modules: readonly Type[], migrations: Migrations = []) {
  const definitions = modules.map(definitionOf);
  return {
    entities: definitions.flatMap(({ entities }) => [...entities]),
    migrations: [
      ...BackboneModule.migrations,
      ...migrations,
      ...definitions.flatMap((definition) => [...definition.migrations]),
    ],
  };
}

function assertModulesKnown({ modules: named }: BackboneSettings, modules: readonly Type[]): void {
  const known = modules.map((module) => definitionOf(module).name);
  const unknown = (named ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new ConfigInvalid([`MODULES: there is no module ${unknown.join(', ')}; there are ${known.join(', ')}`]);
}
