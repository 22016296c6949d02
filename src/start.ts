import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule, MODULES } from './app.module.js';
import { inTurn } from './common/database/data-source.js';
import { Database } from './common/database/database.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './common/database/embedded-postgres.js';
import { refuseUnfitRoles } from './common/database/module-roles.js';
import { openDatabase, refuseWithoutRights } from './common/database/open-database.js';
import { migrateQueues } from './common/events/queues.js';
import { HealthChecks } from './common/http/health.js';
import { configureHttp, createAdapter } from './common/http/http-app.js';
import { serveOpenApi } from './common/http/open-api.js';
import { createLogger } from './common/logging/logger.js';
import { definitionOf } from './common/module-definition.js';
import { within } from './common/timing/within.js';
import { type Config, ConfigError } from './config.js';
import { loadDemo, pathExamples } from './demo.js';
import { listen } from './listen.js';

/** A database that has fallen silent would keep us waiting for the end of its connections; they end with the process. */
const GOODBYE_MS = 500;

/** A shop that serves requests. */
export interface Shop {
  readonly app: NestFastifyApplication;
  /** Where it answers, for someone on this machine. */
  readonly url: string;
  readonly postgres: EmbeddedPostgres | null;
  /** Answers what it has accepted, lets running handlers end, and closes everything in order. */
  stop(): Promise<void>;
}

/** Starts everything in order: database, tables, queues, modules, HTTP. What was started is stopped if a later step fails. */
export async function start(config: Config): Promise<Shop> {
  refuseUnknownModules(config);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const { dataFolder } = config.database;
    const postgres = config.database.url === 'embedded' ? await startEmbeddedPostgres({ dataFolder }) : null;
    if (postgres) stops.push(() => postgres.stop());
    const databaseUrl = postgres?.url ?? config.database.url;
    const { poolSize } = config.database;
    const modules = MODULES.map(definitionOf);
    const dataSource = await openDatabase({ url: databaseUrl, poolSize, modules });
    stops.push(() => within(GOODBYE_MS, dataSource.destroy()));
    const { enforceRoles } = config.database;
    if (enforceRoles)
      await refuseUnfitRoles(
        dataSource,
        modules.map(({ name }) => name),
      );
    if (!config.queue.redisUrl) await migrateQueues(databaseUrl).catch(refuseWithoutRights);
    const database = new Database(dataSource, { enforceRoles });
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.of({ config, database, databaseUrl }),
      createAdapter(),
      { logger: createLogger(config.log), abortOnError: false },
    );
    stops.push(() => app.close());
    configureHttp(app);
    const examples = new Map<string, string>();
    serveOpenApi(app, examples);
    await app.init();
    const url = await listen(app, config.http);
    const health = app.get(HealthChecks);
    stops.push(async () => health.stopping());
    if (config.demoCatalogue && config.modules === null) {
      await inTurn(dataSource, () => loadDemo(url));
      for (const [path, id] of await pathExamples(url)) examples.set(path, id);
    }
    return { app, url, postgres, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function refuseUnknownModules({ modules }: Config): void {
  const known = MODULES.map((module) => definitionOf(module).name);
  const unknown = (modules ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new ConfigError([`MODULES: there is no module ${unknown.join(', ')}; there are ${known.join(', ')}`]);
}
