import { BusinessModule } from '../backbone/business-module.js';
import { CONFIG, type Config } from '../config.js';
import { MailboxController } from './mailbox.controller.js';
import { Mailbox } from './mailbox.js';
import { MailboxMail } from './mailbox-mail.entity.js';
import { MailboxRetention } from './mailbox-retention.js';
import { Mailer } from './mailer.js';
import { Message } from './message.entity.js';
import { MessageRetention } from './message-retention.js';
import { MessagesTimeline } from './messages.timeline.js';
import { CreateNotifications1764000003000 } from './migrations/1764000003000-create-notifications.js';
import { CreateNewestForgotten1764000003100 } from './migrations/1764000003100-create-newest-forgotten.js';
import { NotificationsChecks } from './notifications.checks.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsReactions } from './notifications.reactions.js';
import { NotificationsService } from './notifications.service.js';
import { SmtpMailer } from './smtp-mailer.js';

const mailer = {
  provide: Mailer,
  useFactory: ({ mail }: Config, mailbox: Mailbox): Mailer => (mail.smtpUrl ? new SmtpMailer(mail.smtpUrl) : mailbox),
  inject: [CONFIG, Mailbox],
};

/** Sends messages to customers and operators. It publishes no events, and no module imports it. */
@BusinessModule({
  name: 'notifications',
  events: {},
  controllers: [NotificationsController, MailboxController],
  providers: [NotificationsService, NotificationsReactions, Mailbox, mailer],
  entities: [Message, MailboxMail],
  migrations: [CreateNotifications1764000003000, CreateNewestForgotten1764000003100],
  checks: [NotificationsChecks],
  retention: [MessageRetention, MailboxRetention],
  timeline: [MessagesTimeline],
})
export class NotificationsModule {}
