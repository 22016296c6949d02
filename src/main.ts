import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import type { RunningProgram } from './backbone/program.js';
import { bannerOf } from './banner.js';
import { StartFailure } from './common/errors/start-failure.js';
import { createStartUpLogger } from './common/logging/logger.js';
import { type Config, readConfig, readEnvironment } from './config.js';
import { start } from './start.js';

/** Limit for a stop. The next start finds the unfinished deliveries. */
const STOP_MS = 10_000;

const startedAt = performance.now();
let shop: RunningProgram | undefined;
let isStopping = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));

try {
  const config = readConfig(readEnvironment());
  shop = await start(config);
  if (isStopping) await close(shop);
  else await announce(shop, config);
  void shop.postgres?.exited.then((reason) => isStopping || fail(new Error(reason)));
} catch (error) {
  fail(error);
}

async function announce(shop: RunningProgram, config: Config): Promise<void> {
  const startMs = Math.round(performance.now() - startedAt);
  if (config.log.format === 'pretty') process.stdout.write(await bannerOf(shop, config, startMs));
  else new Logger('Orderly').log('Orderly is open', { url: shop.url, startMs });
}

async function stop(signal: string): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  setTimeout(() => fail(new Error(`${signal}: could not stop within ${STOP_MS} ms`)), STOP_MS).unref();
  if (!shop) return;
  new Logger('Orderly').log(`Stopping on ${signal}`);
  await close(shop);
}

async function close(shop: RunningProgram): Promise<void> {
  await shop.stop().catch(fail);
  process.exit();
}

/** Shows errors that an operator can correct as a text, and all others with their stack. */
function fail(error: unknown): void {
  if (error instanceof StartFailure) process.stderr.write(`${error.message}\n`);
  else createStartUpLogger().fatal(error);
  process.exit(1);
}
