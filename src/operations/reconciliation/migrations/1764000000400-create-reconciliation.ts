import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateReconciliation1764000000400 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE backbone.reconciliation (
        check_name  text        PRIMARY KEY,
        run         uuid        NOT NULL,
        lease_until timestamptz,
        means       text        NOT NULL,
        remedy      text        NOT NULL,
        started_at  timestamptz,
        finished_at timestamptz,
        looked_at   bigint      NOT NULL DEFAULT 0,
        findings    jsonb       NOT NULL DEFAULT '[]'
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.reconciliation');
  }
}
