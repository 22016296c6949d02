import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { About } from './mailer.js';

/** A mail that stays here instead of going out. Holds personal data. */
@Entity({ schema: 'notifications', name: 'mailbox_mail' })
export class MailboxMail {
  /** UUIDv7: newer ones are greater. */
  @PrimaryColumn('uuid')
  declare readonly id: string;

  /** Unique, so that a second run of a side effect keeps no second mail. */
  @Column('text', { name: 'message_id' })
  declare readonly messageId: string;

  @Column('text')
  declare readonly sender: string;

  @Column('text')
  declare readonly recipient: string;

  @Column('text')
  declare readonly subject: string;

  @Column('text')
  declare readonly html: string;

  @Column('text')
  declare readonly text: string;

  @Column('jsonb')
  declare readonly headers: Readonly<Record<string, string>>;

  @Column('text', { name: 'about_kind' })
  declare readonly aboutKind: About['kind'];

  @Column('text', { name: 'about_id' })
  declare readonly aboutId: string;

  @Column('timestamptz', { name: 'created_at' })
  declare readonly createdAt: Date;
}

/** What a list of mails shows. */
export type MailSummary = Pick<MailboxMail, 'id' | 'subject' | 'recipient' | 'createdAt'>;
