import { AppModule, MODULES } from './app.module.js';
import { type RunningProgram, startProgram } from './backbone/program.js';
import { withStartLock } from './common/database/data-source.js';
import type { Config } from './config.js';
import { loadDemo, pathExamples } from './demo.js';
import { OperationsModule } from './operations/operations.module.js';

/** @public scripts/open-api.mjs */
export const API_INFO = {
  title: 'Orderly',
  description: 'Sells products, manages stock, and sends notifications. Errors are RFC 9457 problem documents.',
};

/** Starts the shop, and adds the demo catalogue on the first start. */
export async function start(config: Config): Promise<RunningProgram> {
  const examples = new Map<string, string>();
  const shop = await startProgram({
    settings: config,
    modules: MODULES,
    migrations: OperationsModule.migrations,
    api: { ...API_INFO, examples },
    root: (database) => AppModule.of({ config, ...database }),
  });
  try {
    if (config.demoCatalogue && config.modules === null) {
      await withStartLock(shop.dataSource, () => loadDemo(shop.url));
      for (const [path, id] of await pathExamples(shop.url)) examples.set(path, id);
    }
    return shop;
  } catch (error) {
    await shop.stop();
    throw error;
  }
}
