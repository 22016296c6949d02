import { Inject, Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { SideEffectContext } from '../backbone/decorators.js';
import type { DomainEvent } from '../backbone/domain-event.js';
import { GiveUp } from '../backbone/outcomes.js';
import { Transactions } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { isError } from '../common/logging/describe-error.js';
import { maskPersonal } from '../common/logging/redact.js';
import { CONFIG, type Config } from '../config.js';
import { type About, type Mail, Mailer, MailRefused, type Sender, senderOf } from './mailer.js';
import { Message, type MessageState } from './message.entity.js';
import { htmlOf } from './templates/html-layout.js';
import type { Letter } from './templates/letter.js';
import { textOf } from './templates/text-layout.js';

/** Suppresses automatic replies: RFC 3834, and the header of Microsoft Exchange. */
const NO_AUTO_REPLIES = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' } as const;

/** A message to send: recipient, subject and content. */
export interface Notification {
  readonly to: string;
  readonly about: About;
  readonly letter: Letter;
}

interface MessageFilter {
  readonly subject?: string | undefined;
  readonly state?: MessageState | undefined;
  /** Only messages older than the one with this id. */
  readonly before?: string | undefined;
}

/** Sends messages, and stores which ones were sent. */
@Injectable()
export class NotificationsService {
  private readonly shop: Sender;

  constructor(
    private readonly transactions: Transactions,
    private readonly mailer: Mailer,
    @Inject(CONFIG) config: Config,
  ) {
    this.shop = senderOf(config.mail.from);
  }

  /**
   * Sends one message for an event and a template. Does nothing when an earlier run has sent it. After a crash between
   * the server's answer and the update of the row it is sent twice, with the same Message-ID. No transaction is open
   * meanwhile.
   * @throws {GiveUp} when the server will never accept it; other errors are retried
   */
  async sendOnce(cause: DomainEvent, notification: Notification, context: SideEffectContext): Promise<void> {
    const { signal, lastAttempt } = context;
    const id = await this.claim(cause, notification);
    if (id === undefined) return;
    const answer = await this.send(this.mailFor(cause, notification), signal).catch(async (error: unknown) => {
      await this.bookFailure(id, error, lastAttempt || error instanceof GiveUp);
      throw error;
    });
    await this.bookSuccess(id, answer);
  }

  /** Newest first. */
  latest(count: number, { subject, state, before }: MessageFilter): Promise<Message[]> {
    const where = {
      ...(subject !== undefined && { subject }),
      ...(state !== undefined && { state }),
      ...(before !== undefined && { id: LessThan(before) }),
    };
    const query = { where, order: { id: 'DESC' }, take: count } as const;
    return this.transactions.read((manager) => manager.find(Message, query));
  }

  /** Returns the id of the message, or undefined if it was sent. A failed message is sent again after a replay. */
  private async claim(cause: DomainEvent, { to, about, letter }: Notification): Promise<string | undefined> {
    const [row] = await this.transactions.run(({ manager }) =>
      queryRows<{ id: string }>(
        manager,
        `INSERT INTO notifications.message AS message
           (id, event_id, template, subject, correlation_id, channel, recipient, state, attempts)
         VALUES ($1, $2, $3, $4, $5, 'email', $6, 'pending', 1)
         ON CONFLICT (event_id, template) DO UPDATE SET state = 'pending', attempts = message.attempts + 1
           WHERE message.state <> 'sent'
         RETURNING id`,
        [uuidv7(), cause.id, letter.template, about.id, cause.correlationId, to],
      ),
    );
    return row?.id;
  }

  private async send(mail: Mail, signal: AbortSignal): Promise<string> {
    try {
      return await this.mailer.send(mail, signal);
    } catch (error) {
      if (error instanceof MailRefused) throw new GiveUp(error.message);
      throw error;
    }
  }

  private mailFor({ id, correlationId }: DomainEvent, { to, about, letter }: Notification): Mail {
    const domain = this.shop.address.split('@')[1];
    return {
      messageId: `<${id}.${letter.template}@${domain}>`,
      from: this.shop,
      to,
      subject: letter.subject,
      html: htmlOf(letter, this.shop).toString(),
      text: textOf(letter, this.shop),
      headers: { ...NO_AUTO_REPLIES, 'X-Correlation-Id': correlationId },
      about,
    };
  }

  private async bookFailure(id: string, error: unknown, final: boolean): Promise<void> {
    const sql = 'UPDATE notifications.message SET state = $2, last_error = $3 WHERE id = $1';
    const parameters = [id, final ? 'failed' : 'pending', maskPersonal(isError(error) ? error.message : String(error))];
    await this.transactions.run(({ manager }) => manager.query(sql, parameters));
  }

  private async bookSuccess(id: string, answer: string): Promise<void> {
    const sql = `UPDATE notifications.message SET state = 'sent', sent_at = now(), answer = $2 WHERE id = $1`;
    await this.transactions.run(({ manager }) => manager.query(sql, [id, answer]));
  }
}
