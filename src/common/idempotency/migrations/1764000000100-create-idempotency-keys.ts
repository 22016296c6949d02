import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIdempotencyKeys1764000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE backbone.idempotency_key (
        principal   text        NOT NULL,
        route       text        NOT NULL,
        key         text        NOT NULL,
        fingerprint bytea       NOT NULL,
        location    text,
        body        json        NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (principal, route, key)
      )`);
    await runner.query('CREATE INDEX idempotency_key_age ON backbone.idempotency_key (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.idempotency_key');
  }
}
