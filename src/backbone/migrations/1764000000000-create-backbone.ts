import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../common/database/roles.js';

export class CreateBackbone1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'backbone');
    await runner.query(`
      CREATE TABLE backbone.event (
        id             uuid        PRIMARY KEY,
        position       bigint      GENERATED ALWAYS AS IDENTITY,
        transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id(),
        subject        text        NOT NULL,
        version        integer     NOT NULL,
        type           text        NOT NULL,
        data           jsonb       NOT NULL,
        metadata       jsonb       NOT NULL,
        correlation_id text        NOT NULL,
        causation_id   uuid,
        occurred_at    timestamptz NOT NULL,
        CONSTRAINT event_subject_version_key UNIQUE (subject, version),
        CONSTRAINT event_version_positive CHECK (version > 0)
      )`);
    await runner.query('CREATE UNIQUE INDEX event_position ON backbone.event (position)');
    await runner.query('CREATE INDEX event_correlation ON backbone.event (correlation_id)');
    await runner.query(`
      CREATE FUNCTION backbone.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'events are immutable';
      END $$`);
    await runner.query(`
      CREATE TRIGGER event_is_immutable BEFORE UPDATE ON backbone.event
        FOR EACH ROW EXECUTE FUNCTION backbone.refuse_change()`);

    await runner.query(`
      CREATE TABLE backbone.delivery (
        event_id    uuid        NOT NULL REFERENCES backbone.event (id),
        subscriber  text        NOT NULL,
        order_key   text        NOT NULL,
        position    bigint      NOT NULL,
        state       text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dead', 'skipped')),
        attempts    smallint    NOT NULL DEFAULT 0,
        claims      integer     NOT NULL DEFAULT 0,
        lease_until timestamptz,
        due_at      timestamptz NOT NULL,
        errors      jsonb       NOT NULL DEFAULT '[]',
        finished_at timestamptz,
        PRIMARY KEY (event_id, subscriber)
      ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05)`);
    await runner.query(`
      CREATE INDEX delivery_unfinished ON backbone.delivery (order_key, position)
       WHERE state IN ('pending', 'dead')`);
    await runner.query("CREATE INDEX delivery_due ON backbone.delivery (subscriber, due_at) WHERE state = 'pending'");
    await runner.query("CREATE INDEX delivery_dead ON backbone.delivery (event_id) WHERE state = 'dead'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backbone.delivery, backbone.event');
    await runner.query('DROP FUNCTION backbone.refuse_change()');
  }
}
