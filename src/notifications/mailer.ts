import addressparser from 'nodemailer/lib/addressparser';
import { ConfigInvalid } from '../common/config/environment.js';

/** One mail, ready to go. */
export interface Mail {
  /** Derived from the event: a mail that went out twice can be recognised by it. */
  readonly messageId: string;
  readonly from: Sender;
  /** A bare address. */
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly about: About;
}

/** What a mail is about: an order by its id, or a product by its SKU. */
export interface About {
  readonly kind: 'order' | 'product';
  readonly id: string;
}

export interface Sender {
  readonly name: string;
  readonly address: string;
}

/** Hands mails to whoever delivers them: a mail server, or the built-in mailbox. */
export abstract class Mailer {
  /**
   * Resolves with what the other side answered, once it has taken responsibility for the mail.
   * @throws {MailRefused} when trying again is hopeless
   * @throws {MailNotSent} when it may work later; whether the mail went out may be unknown
   */
  abstract send(mail: Mail, signal: AbortSignal): Promise<string>;
}

/** The mail will never be accepted, e.g. because its recipient does not exist. Names no address. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

/** The mail was not accepted this time: a full mailbox, a server that is busy, slow or away. Names no address. */
export class MailNotSent extends Error {
  override readonly name = 'MailNotSent';
}

/**
 * Reads `Name <address>`; without a name the shop goes by its domain.
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
 * A line break in a header would start another header, a comma in a recipient another recipient. Our own letters hold
 * neither; this is the last gate for what people typed.
 * @throws {MailRefused} naming the field
 */
export function refuseInjection({ to, subject, from, messageId, headers }: Mail): void {
  const fields = { subject, 'sender name': from.name, 'message id': messageId, ...headers };
  const broken = Object.entries(fields).flatMap(([name, value]) => (/\p{Cc}/u.test(name + value) ? [name] : []));
  if (!/^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u.test(to)) broken.push('recipient');
  if (broken.length > 0) throw new MailRefused(`The mail would not be one: check its ${broken.join(', ')}`);
}
