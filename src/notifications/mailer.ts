import addressparser from 'nodemailer/lib/addressparser';
import { ConfigInvalid } from '../common/config/environment.js';

/** A complete mail. */
export interface Mail {
  /** Derived from the event, so that a mail that was sent twice has the same id both times. */
  readonly messageId: string;
  readonly from: Sender;
  /** An address without a name. */
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly about: About;
}

/** The subject of a mail: an order by its id, or a product by its SKU. */
export interface About {
  readonly kind: 'order' | 'product';
  readonly id: string;
}

export interface Sender {
  readonly name: string;
  readonly address: string;
}

/** Sends mails: through a mail server, or into the built-in mailbox. */
export abstract class Mailer {
  /**
   * Resolves with the answer of the server, once it has accepted the mail.
   * @throws {MailRefused} when a retry cannot succeed
   * @throws {MailNotSent} when a retry may succeed; it may be unknown whether the mail was sent
   */
  abstract send(mail: Mail, signal: AbortSignal): Promise<string>;
}

/**
 * The mail will never be accepted, for example because its recipient does not exist. The message contains no address.
 */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

/**
 * The mail was not accepted this time: the mailbox is full, or the server is busy, slow or down. The message contains
 * no address.
 */
export class MailNotSent extends Error {
  override readonly name = 'MailNotSent';
}

/**
 * Parses `Name <address>`. Without a name, the domain is used as the name.
 * @throws {ConfigInvalid} when there is no address in it
 */
export function senderOf(from: string): Sender {
  const [mailbox] = addressparser(from, { flatten: true });
  const domain = mailbox?.address?.split('@')[1];
  if (!mailbox?.address || !domain)
    throw new ConfigInvalid(['MAIL_FROM: give a sender such as "Our Shop <shop@example.com>"']);
  return { name: mailbox.name || domain, address: mailbox.address };
}

/**
 * A line break in a header would start another header, and a comma in a recipient would add another recipient. The
 * templates remove both; this is the last check of text that people typed.
 * @throws {MailRefused} naming the field
 */
export function refuseInjection({ to, subject, from, messageId, headers }: Mail): void {
  const fields = { subject, 'sender name': from.name, 'message id': messageId, ...headers };
  const broken = Object.entries(fields).flatMap(([name, value]) => (/\p{Cc}/u.test(name + value) ? [name] : []));
  if (!/^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u.test(to)) broken.push('recipient');
  if (broken.length > 0)
    throw new MailRefused(
      `The mail has control characters, or no single address as its recipient: check its ${broken.join(', ')}`,
    );
}
