import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepWhyACheckFailed1764000000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE backbone.reconciliation ADD COLUMN error text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE backbone.reconciliation DROP COLUMN error');
  }
}
