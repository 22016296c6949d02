import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../common/database/roles.js';

export class CreateOrders1764000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'orders');
    await runner.query(`
      CREATE TABLE orders."order" (
        id               uuid        PRIMARY KEY,
        status           text        NOT NULL
          CHECK (status IN ('placed', 'confirmed', 'rejected', 'cancelled', 'shipped', 'delivered')),
        version          integer     NOT NULL,
        customer_name    text        NOT NULL,
        customer_email   text        NOT NULL,
        shipping_address jsonb       NOT NULL,
        reference        text,
        total_amount     bigint      NOT NULL CHECK (total_amount >= 0),
        currency         char(3)     NOT NULL,
        placed_at        timestamptz(3) NOT NULL,
        rejection        jsonb,
        cancellation     jsonb,
        shipment         jsonb,
        CONSTRAINT order_rejection_says_why CHECK ((status = 'rejected') = (rejection IS NOT NULL))
      ) WITH (fillfactor = 80)`);
    await runner.query('CREATE INDEX order_placed_at ON orders."order" (placed_at, id)');
    await runner.query('CREATE INDEX order_email ON orders."order" (lower(customer_email))');
    await runner.query('CREATE INDEX order_reference ON orders."order" (reference) WHERE reference IS NOT NULL');
    await runner.query(`
      CREATE INDEX order_open ON orders."order" (status, placed_at) WHERE status IN ('placed', 'confirmed', 'shipped')`);
    await runner.query(`
      CREATE TABLE orders.order_line (
        order_id    uuid     NOT NULL REFERENCES orders."order" (id),
        number      smallint NOT NULL,
        sku         text     NOT NULL,
        name        text     NOT NULL,
        quantity    integer  NOT NULL CHECK (quantity > 0),
        unit_amount bigint   NOT NULL CHECK (unit_amount >= 0),
        PRIMARY KEY (order_id, number)
      )`);
    await runner.query(`
      CREATE TABLE orders.price (
        sku         text    PRIMARY KEY,
        name        text    NOT NULL,
        unit_amount bigint  NOT NULL,
        currency    char(3) NOT NULL,
        is_sold     boolean NOT NULL DEFAULT true
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orders.order_line, orders."order", orders.price');
  }
}
