import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../common/database/roles.js';

export class CreateNotifications1764000003000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'notifications');
    await runner.query(`
      CREATE TABLE notifications.message (
        id             uuid        PRIMARY KEY,
        event_id       uuid        NOT NULL,
        template       text        NOT NULL,
        subject        text        NOT NULL,
        correlation_id text        NOT NULL,
        channel        text        NOT NULL CHECK (channel IN ('email')),
        recipient      text        NOT NULL,
        state          text        NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
        attempts       integer     NOT NULL CHECK (attempts > 0),
        answer         text,
        last_error     text,
        created_at     timestamptz NOT NULL DEFAULT now(),
        sent_at        timestamptz,
        CONSTRAINT message_event_template_key UNIQUE (event_id, template),
        CONSTRAINT message_sent_at_when_sent CHECK ((state = 'sent') = (sent_at IS NOT NULL))
      )`);
    await runner.query('CREATE INDEX message_subject ON notifications.message (subject, id)');
    await runner.query("CREATE INDEX message_unsent ON notifications.message (state, id) WHERE state <> 'sent'");
    await runner.query(`
      CREATE TABLE notifications.mailbox_mail (
        id         uuid        PRIMARY KEY,
        message_id text        NOT NULL CONSTRAINT mailbox_mail_message_id_key UNIQUE,
        sender     text        NOT NULL,
        recipient  text        NOT NULL,
        subject    text        NOT NULL,
        html       text        NOT NULL,
        text       text        NOT NULL,
        headers    jsonb       NOT NULL,
        about_kind text        NOT NULL CHECK (about_kind IN ('order', 'product')),
        about_id   text        NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notifications.mailbox_mail');
    await runner.query('DROP TABLE notifications.message');
    await runner.query('DROP SCHEMA notifications');
  }
}
