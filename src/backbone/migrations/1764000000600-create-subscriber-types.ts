import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSubscriberTypes1764000000600 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE backbone.subscriber_type (
        subscriber text NOT NULL,
        type       text NOT NULL,
        PRIMARY KEY (subscriber, type)
      )`);
    // The types of the unfinished deliveries that builds without this table have created.
    await runner.query(`
      INSERT INTO backbone.subscriber_type (subscriber, type)
      SELECT DISTINCT d.subscriber, e.type FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
       WHERE d.state IN ('pending', 'dead')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.subscriber_type');
  }
}
