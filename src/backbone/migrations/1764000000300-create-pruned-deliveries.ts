import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePrunedDeliveries1764000000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The width can never change, because stored rows have it.
    await runner.query(`
      CREATE TABLE backbone.pruned_delivery (
        chunk      bigint    NOT NULL,
        subscriber text      NOT NULL,
        bits       bit(4096) NOT NULL,
        PRIMARY KEY (chunk, subscriber)
      ) WITH (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.pruned_delivery');
  }
}
