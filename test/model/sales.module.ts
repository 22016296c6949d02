import { Injectable } from '@nestjs/common';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BusinessModule } from '../../src/backbone/business-module.js';
import { ReactsTo } from '../../src/backbone/decorators.js';
import type { Transaction } from '../../src/backbone/transaction.js';
import { createSchemaWithRole } from '../../src/common/database/roles.js';
import { OrderCancelled, OrderConfirmed } from '../../src/orders/orders.events.js';
import { Luck } from './luck.js';

export const SALE_ATTEMPTS = 3;

const LATER = { later: true, attempts: SALE_ATTEMPTS } as const;

class CreateSales1764000009000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'sales');
    await runner.query('CREATE TABLE sales.sale (order_id uuid PRIMARY KEY, heard text NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA sales CASCADE');
  }
}

/** Writes down what it hears, as often as it hears it and in that order: what happened twice shows. */
@Injectable()
class SalesReactions {
  constructor(private readonly luck: Luck) {}

  @ReactsTo(OrderConfirmed, LATER)
  async countSale({ data }: OrderConfirmed, tx: Transaction): Promise<void> {
    await this.hear(data.orderId, 'sold', tx);
  }

  @ReactsTo(OrderCancelled, LATER)
  async takeBackSale({ data }: OrderCancelled, tx: Transaction): Promise<void> {
    await this.hear(data.orderId, 'taken back', tx);
  }

  private async hear(orderId: string, what: string, { manager }: Transaction): Promise<void> {
    await this.luck.meet();
    const sql = `INSERT INTO sales.sale (order_id, heard) VALUES ($1, $2)
                 ON CONFLICT (order_id) DO UPDATE SET heard = concat_ws(', ', sale.heard, $2::text)`;
    await manager.query(sql, [orderId, what]);
  }
}

/** A module whose reactions come later and park: the shop's own modules have none of these. */
@BusinessModule({
  name: 'sales',
  events: {},
  controllers: [],
  providers: [Luck, SalesReactions],
  entities: [],
  migrations: [CreateSales1764000009000],
})
export class SalesModule {}
