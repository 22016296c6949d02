import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepWhatIsSettled1764000000700 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE backbone.reconciliation ADD COLUMN settled jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE backbone.reconciliation DROP COLUMN settled');
  }
}
