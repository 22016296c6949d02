import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateNewestForgotten1764000003100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE notifications.newest_forgotten (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        event_id uuid    NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notifications.newest_forgotten');
  }
}
