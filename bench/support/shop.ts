import { aProduct, SKUS } from './catalogue.js';
import type { Database } from './database.js';
import type { Ground } from './ground.js';
import type { Process } from './process.js';
import { HEALTH, ORDERLY, type Program } from './programs.js';

type Environment = Readonly<Record<string, string>>;

/** A program on a database of its own, with products on sale. */
export class Shop {
  private readonly processes: Process[] = [];

  private constructor(
    private readonly ground: Ground,
    private readonly program: Program,
    readonly database: Database,
  ) {}

  /** One process that answers requests, and leaves it to others to do what follows. */
  static async open(ground: Ground, program: Program, skus = SKUS): Promise<Shop> {
    const shop = new Shop(ground, program, await ground.database());
    await shop.start();
    await shop.sell(skus.map((sku) => aProduct(sku)));
    return shop;
  }

  /** A database with the tables of the built program. */
  static async prepare(ground: Ground): Promise<Database> {
    const shop = new Shop(ground, ORDERLY, await ground.database());
    const process = await shop.start();
    await process.stop();
    return shop.database;
  }

  /** A shop on a database that was filled before. */
  static on(ground: Ground, program: Program, database: Database): Shop {
    return new Shop(ground, program, database);
  }

  /** Its first process. */
  get process(): Process {
    const [first] = this.processes;
    if (!first) throw new Error('The shop has no process');
    return first;
  }

  get url(): string {
    return this.process.url;
  }

  /** Starts a process, of which a shop may have several. */
  async start(more: Environment = {}): Promise<Process> {
    const process = await this.ground.start({
      main: this.program.main,
      health: HEALTH,
      environment: { ...environmentOf(this.ground, this.database), ...this.program.environment, ...more },
    });
    this.processes.push(process);
    return process;
  }

  async sell(products: readonly object[]): Promise<void> {
    await this.import(this.linesOf(products), products.length);
  }

  linesOf(products: readonly object[]): string {
    return products.map((product) => `${JSON.stringify(product)}\n`).join('');
  }

  /** Takes these lines, which hold so many products that are new. */
  async import(lines: string, count: number): Promise<void> {
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${this.url}/v1/products/import`, { method: 'POST', headers, body: lines });
    const report = (await answer.json()) as { readonly listed?: number };
    if (report.listed !== count) throw new Error(`Not listed: ${JSON.stringify(report)}`);
  }

  /** Places an order that is confirmed, and gives its id. */
  async place(order: object): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}/v1/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
    const { id, status } = (await answer.json()) as { readonly id: string; readonly status: string };
    if (status !== 'confirmed') throw new Error(`An order is ${status}`);
    return id;
  }

  /** Forgets what is still to be done, so that every round begins with nothing to do. */
  async forgetDeliveries(): Promise<void> {
    await this.database.sql('TRUNCATE backbone.delivery');
    await this.ground.redis.flush();
  }

  /** Nobody works on its database any more. */
  async stop(): Promise<void> {
    for (const process of this.processes.splice(0)) await process.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
    await this.ground.redis.flush();
  }
}

/** What every program here is told: as in production, but with a line of log for what goes wrong alone, as tutorials do it. */
function environmentOf({ redis }: Ground, { name, url }: Database): Environment {
  return {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    QUEUE_PREFIX: name,
    WORKERS: 'off',
  };
}
