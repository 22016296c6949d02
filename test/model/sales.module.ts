import { Injectable } from '@nestjs/common';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BusinessModule } from '../../src/backbone/business-module.js';
import { ReactsTo } from '../../src/backbone/decorators.js';
import type { Transaction } from '../../src/backbone/transaction.js';
import { createSchemaWithRole } from '../../src/common/database/roles.js';
import { OrderCancelled, OrderConfirmed } from '../../src/orders/orders.events.js';
import { HandlerOutcomes } from './handler-outcomes.js';

export const SALE_ATTEMPTS = 3;

const LATER = { later: true, attempts: SALE_ATTEMPTS } as const;

class CreateSales1764000009000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'sales');
    await runner.query('CREATE TABLE sales.sale (order_id uuid PRIMARY KEY, effects text NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA sales CASCADE');
  }
}

/** Records each effect, in sequence, so that repeated effects are visible. */
@Injectable()
class SalesReactions {
  constructor(private readonly outcomes: HandlerOutcomes) {}

  @ReactsTo(OrderConfirmed, LATER)
  async countSale({ data }: OrderConfirmed, tx: Transaction): Promise<void> {
    await this.record(data.orderId, 'sold', tx);
  }

  @ReactsTo(OrderCancelled, LATER)
  async takeBackSale({ data }: OrderCancelled, tx: Transaction): Promise<void> {
    await this.record(data.orderId, 'taken back', tx);
  }

  private async record(orderId: string, effect: string, { manager }: Transaction): Promise<void> {
    await this.outcomes.apply();
    const sql = `INSERT INTO sales.sale (order_id, effects) VALUES ($1, $2)
                 ON CONFLICT (order_id) DO UPDATE SET effects = concat_ws(', ', sale.effects, $2::text)`;
    await manager.query(sql, [orderId, effect]);
  }
}

/** A module with later reactions that park, which the modules of the shop do not have. */
@BusinessModule({
  name: 'sales',
  events: {},
  controllers: [],
  providers: [HandlerOutcomes, SalesReactions],
  entities: [],
  migrations: [CreateSales1764000009000],
})
export class SalesModule {}
