import type { OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type NodemailerError } from 'nodemailer';
import { maskPersonal } from '../common/logging/redact.js';
import { type Mail, Mailer, MailNotSent, MailRefused, refuseInjection } from './mailer.js';

/**
 * All well below the handlers' timeout, so that a server that hangs is named in the error. `maxRequeues` is for a
 * connection that the server had closed meanwhile: the pool takes another one, once and only if nothing was sent yet.
 * Every other repetition is the backbone's decision.
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

/** Sends through a mail server. TLS as its URL says: from the start with `smtps://`, else as soon as it is offered. */
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
 * A 5xx to the recipient or to the content is final; everything else may pass, even a 5xx to our login or to our
 * sender, which an operator can mend (RFC 5321, 4.2.1). The original error stays behind: it repeats the address.
 */
function failureOf({ permanent, command, message, code }: NodemailerError): Error {
  const isAboutThisMail = command === 'RCPT TO' || command === 'DATA';
  const text = maskPersonal(code ? `${message} (${code})` : message);
  return isAboutThisMail && permanent ? new MailRefused(text) : new MailNotSent(text);
}
