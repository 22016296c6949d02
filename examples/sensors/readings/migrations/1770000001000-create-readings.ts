import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../../../src/common/database/roles.js';

export class CreateReadings1770000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'readings');
    await runner.query(`
      CREATE TABLE readings.reading (
        id       uuid             PRIMARY KEY,
        sensor   text             NOT NULL,
        celsius  double precision NOT NULL,
        taken_at timestamptz(3)   NOT NULL
      )`);
    await runner.query('CREATE INDEX reading_sensor ON readings.reading (sensor, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE readings.reading');
  }
}
