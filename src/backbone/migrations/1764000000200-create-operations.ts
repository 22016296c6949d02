import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOperations1764000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE backbone.delivery ADD COLUMN fingerprint text, ADD COLUMN released_at timestamptz');
    // Deliveries that are dead already get the fingerprint of the exact message, with its ids and numbers.
    await runner.query(`
      UPDATE backbone.delivery
         SET fingerprint = left(md5(concat_ws(' ', errors -> -1 ->> 'name', errors -> -1 ->> 'message')), 16)
       WHERE state = 'dead'`);
    await runner.query(`
      CREATE INDEX delivery_fingerprint ON backbone.delivery (fingerprint, subscriber, event_id)
       WHERE fingerprint IS NOT NULL`);
    await runner.query('CREATE INDEX event_time ON backbone.event USING brin (occurred_at)');

    await runner.query(`
      CREATE TABLE backbone.paused_subscriber (
        subscriber text        PRIMARY KEY,
        since      timestamptz NOT NULL DEFAULT clock_timestamp(),
        reason     text        NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE backbone.operation (
        id             uuid        PRIMARY KEY,
        at             timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at    timestamptz,
        actor          text        NOT NULL,
        correlation_id text        NOT NULL,
        action         text        NOT NULL,
        target         jsonb       NOT NULL,
        reason         text,
        before         jsonb       NOT NULL,
        after          jsonb       NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.operation, backbone.paused_subscriber');
    await runner.query('DROP INDEX backbone.event_time');
    await runner.query('ALTER TABLE backbone.delivery DROP COLUMN fingerprint, DROP COLUMN released_at');
  }
}
