// The habit: the DataSource is a provider, repositories are created from it, and entities create their own tables.
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { environment } from './environment.js';
import { Order, OrderLine } from './order.entity.js';
import { Product } from './product.entity.js';

export const ORDERS = 'ORDER_REPOSITORY';
export const PRODUCTS = 'PRODUCT_REPOSITORY';

/** Any number that all processes share. */
const TABLES_LOCK = 4711;

async function connect(): Promise<DataSource> {
  const dataSource = await new DataSource({
    type: 'postgres',
    url: environment.DATABASE_URL,
    poolSize: environment.DATABASE_POOL_SIZE,
    entities: [Order, OrderLine, Product],
    // gen_random_uuid() needs no extension.
    uuidExtension: 'pgcrypto',
    installExtensions: false,
  }).initialize();
  await createTables(dataSource);
  return dataSource;
}

/** Like `synchronize: true`, but processes that start at the same time create the tables one after the other. */
async function createTables(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [TABLES_LOCK]);
    await dataSource.synchronize();
    await runner.query('SELECT pg_advisory_unlock($1)', [TABLES_LOCK]);
  } finally {
    await runner.release();
  }
}

@Module({
  providers: [
    { provide: DataSource, useFactory: connect },
    { provide: ORDERS, useFactory: (source: DataSource) => source.getRepository(Order), inject: [DataSource] },
    { provide: PRODUCTS, useFactory: (source: DataSource) => source.getRepository(Product), inject: [DataSource] },
  ],
  exports: [DataSource, ORDERS, PRODUCTS],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly dataSource: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}
