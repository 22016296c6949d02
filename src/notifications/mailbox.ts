import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Transactions } from '../backbone/transaction.js';
import { MailboxMail, type MailSummary } from './mailbox-mail.entity.js';
import { type Mail, Mailer, refuseInjection } from './mailer.js';
import { MailNotFound } from './notifications.errors.js';

/** Used when no mail server is set: stores every mail, and /mailbox shows it. */
@Injectable()
export class Mailbox extends Mailer {
  constructor(private readonly transactions: Transactions) {
    super();
  }

  override async send(mail: Mail, signal: AbortSignal): Promise<string> {
    refuseInjection(mail);
    signal.throwIfAborted();
    const { messageId, from, to, subject, html, text, headers, about } = mail;
    const envelope = { messageId, sender: `${from.name} <${from.address}>`, recipient: to };
    const row = { id: uuidv7(), ...envelope, subject, html, text, headers, aboutKind: about.kind, aboutId: about.id };
    await this.transactions.run(({ manager }) =>
      manager.createQueryBuilder().insert().into(MailboxMail).values(row).orIgnore().updateEntity(false).execute(),
    );
    return 'Kept in the mailbox';
  }

  /** Newest first. */
  latest(count: number, before?: string): Promise<MailSummary[]> {
    const where = before === undefined ? {} : { id: LessThan(before) };
    const select = { id: true, subject: true, recipient: true, createdAt: true } as const;
    const query = { select, where, order: { id: 'DESC' }, take: count } as const;
    return this.transactions.read((manager) => manager.find(MailboxMail, query));
  }

  /** @throws {MailNotFound} */
  async find(id: string): Promise<MailboxMail> {
    const mail = await this.transactions.read((manager) => manager.findOneBy(MailboxMail, { id }));
    if (!mail) throw new MailNotFound(id);
    return mail;
  }
}
