import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../../../src/common/database/roles.js';

export class CreateAlerts1770000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'alerts');
    await runner.query(`
      CREATE TABLE alerts.alert (
        id         uuid             PRIMARY KEY,
        sensor     text             NOT NULL,
        celsius    double precision NOT NULL,
        raised_at  timestamptz(3)   NOT NULL DEFAULT now(),
        cleared_at timestamptz(3)
      )`);
    await runner.query('CREATE UNIQUE INDEX alert_open ON alerts.alert (sensor) WHERE cleared_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE alerts.alert');
  }
}
