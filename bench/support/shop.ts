import { aProduct, SKUS } from './catalogue.js';
import type { Database } from './database.js';
import type { Process } from './process.js';
import { HEALTH, ORDERLY, type Program } from './programs.js';
import type { TestBed } from './test-bed.js';

type Environment = Readonly<Record<string, string>>;

/** A program on its own database, with products on sale. */
export class Shop {
  private readonly processes: Process[] = [];

  private constructor(
    private readonly testBed: TestBed,
    private readonly program: Program,
    readonly database: Database,
  ) {}

  /** Starts one process that answers requests. It has no workers. */
  static async open(testBed: TestBed, program: Program, skus = SKUS): Promise<Shop> {
    const shop = new Shop(testBed, program, await testBed.database());
    await shop.start();
    await shop.sell(skus.map((sku) => aProduct(sku)));
    return shop;
  }

  /** Creates a database with the tables of the built program. */
  static async prepare(testBed: TestBed): Promise<Database> {
    const shop = new Shop(testBed, ORDERLY, await testBed.database());
    const process = await shop.start();
    await process.stop();
    return shop.database;
  }

  /** A shop on an existing database, without a process. */
  static on(testBed: TestBed, program: Program, database: Database): Shop {
    return new Shop(testBed, program, database);
  }

  /** The first process of the shop. */
  get process(): Process {
    const [first] = this.processes;
    if (!first) throw new Error('The shop has no process');
    return first;
  }

  get url(): string {
    return this.process.url;
  }

  /** Starts a process. A shop may have several. */
  async start(more: Environment = {}): Promise<Process> {
    const process = await this.testBed.start({
      main: this.program.main,
      health: HEALTH,
      environment: { ...environmentOf(this.testBed, this.database), ...this.program.environment, ...more },
    });
    this.processes.push(process);
    return process;
  }

  async sell(products: readonly object[]): Promise<void> {
    await this.import(this.ndjsonOf(products), products.length);
  }

  ndjsonOf(products: readonly object[]): string {
    return products.map((product) => `${JSON.stringify(product)}\n`).join('');
  }

  /** @param count number of products in `ndjson`, all of which must be new */
  async import(ndjson: string, count: number): Promise<void> {
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${this.url}/v1/products/import`, { method: 'POST', headers, body: ndjson });
    const report = (await answer.json()) as { readonly listed?: number };
    if (report.listed !== count) throw new Error(`Not all products were imported: ${JSON.stringify(report)}`);
  }

  /** Places an order and returns its id. @throws {Error} when it is not confirmed */
  async place(order: object): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}/v1/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
    const { id, status } = (await answer.json()) as { readonly id: string; readonly status: string };
    if (status !== 'confirmed') throw new Error(`The order is ${status} instead of confirmed`);
    return id;
  }

  /** Deletes all deliveries and jobs, so that every round begins without pending work. */
  async deletePendingWork(): Promise<void> {
    await this.database.sql('TRUNCATE backbone.delivery');
    await this.testBed.redis.flush();
  }

  /** Stops all processes. */
  async stop(): Promise<void> {
    for (const process of this.processes.splice(0)) await process.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
    await this.testBed.redis.flush();
  }
}

/** The environment of both programs: as in production, but logging only warnings and errors, like tutorials. */
function environmentOf({ redis }: TestBed, { name, url }: Database): Environment {
  return {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    QUEUE_PREFIX: name,
    WORKERS: 'off',
  };
}
