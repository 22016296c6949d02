import type { OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type NodemailerError } from 'nodemailer';
import { maskPersonal } from '../common/logging/redact.js';
import { type Mail, Mailer, MailNotSent, MailRefused, refuseInjection } from './mailer.js';

/**
 * All timeouts are well below that of the handlers, so that the error names the phase in which the server hangs.
 * `maxRequeues` is for a pooled connection that the server has closed: the pool takes another one, once, and only if
 * nothing was sent yet. All other retries are left to the backbone.
 */
const POOL = {
  pool: true,
  maxConnections: 5,
  maxRequeues: 1,
  connectionTimeout: 8_000,
  dnsTimeout: 5_000,
  greetingTimeout: 8_000,
  socketTimeout: 12_000,
  socketCloseTimeout: 1_000,
  disableFileAccess: true,
  disableUrlAccess: true,
} as const;

/**
 * Sends mails through a mail server, with TLS from the start for `smtps://`, else with STARTTLS where the server offers
 * it.
 */
export class SmtpMailer extends Mailer implements OnApplicationShutdown {
  private readonly pool;

  constructor(smtpUrl: string) {
    super();
    this.pool = createTransport({ ...POOL, url: smtpUrl });
  }

  override async send(mail: Mail, signal: AbortSignal): Promise<string> {
    refuseInjection(mail);
    const { messageId, from, to, subject, html, text, headers } = mail;
    const recipient = { name: '', address: to };
    const envelope = { from: from.address, to: [to] };
    const message = { messageId, from, to: recipient, subject, html, text, headers: { ...headers }, envelope, signal };
    try {
      const { response } = await this.pool.sendMail(message);
      return maskPersonal(response);
    } catch (error) {
      throw failureOf(error as NodemailerError);
    }
  }

  onApplicationShutdown(): void {
    this.pool.close();
  }
}

/**
 * A 5xx answer to the recipient or to the content is permanent (RFC 5321, 4.2.1). Everything else may succeed later,
 * even after a 5xx to the login or the sender, which an operator can correct. The cause is dropped, because it contains
 * the address.
 */
function failureOf({ permanent, command, message, code }: NodemailerError): Error {
  const isAboutThisMail = command === 'RCPT TO' || command === 'DATA';
  const text = maskPersonal(code ? `${message} (${code})` : message);
  return isAboutThisMail && permanent ? new MailRefused(text) : new MailNotSent(text);
}
