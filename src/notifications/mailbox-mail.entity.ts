import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { About } from './mailer.js';

/** A mail that the built-in mailbox keeps. Contains personal data. */
@Entity({ schema: 'notifications', name: 'mailbox_mail' })
export class MailboxMail {
  /** UUIDv7, so newer mails have greater ids. */
  @PrimaryColumn('uuid')
  declare readonly id: string;

  /** Unique, so that a second run of a side effect stores no second mail. */
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

/** The columns that the list of mails shows. */
export type MailSummary = Pick<MailboxMail, 'id' | 'subject' | 'recipient' | 'createdAt'>;
