import { Inject, Injectable } from '@nestjs/common';
import { rowsOf } from '../common/database/rows-of.js';
import { Transactions } from '../common/events/transactions.js';
import { daysAgo, leastIdOf, NO_ID } from '../common/retention/age.js';
import { Pruning } from '../common/retention/pruning.js';
import { CONFIG, type Config } from '../config.js';
import type { MailboxMail } from './mailbox-mail.entity.js';

const BATCH = 200;
const EVENT_IN_MESSAGE_ID = `'^<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.]'`;

/**
 * A mail goes when its message has gone: until then it shows a message that is sent again that it is there already. As
 * many mails are looked at as are deleted at most, so that however many have to stay, none of these statements is long.
 */
const PRUNE = `
  WITH looked_at AS MATERIALIZED (
    SELECT id FROM notifications.mailbox_mail
     WHERE id > $2 AND id < ${leastIdOf(daysAgo('$1'))} ORDER BY id LIMIT ${BATCH}
  ), old AS (
    SELECT id FROM notifications.mailbox_mail mail JOIN looked_at USING (id)
     WHERE created_at < ${daysAgo('$1')}
       AND NOT EXISTS (SELECT FROM notifications.message
                        WHERE event_id = substring(mail.message_id FROM ${EVENT_IN_MESSAGE_ID})::uuid)
     ORDER BY id FOR UPDATE OF mail SKIP LOCKED
  ), pruned AS (
    DELETE FROM notifications.mailbox_mail mail USING old WHERE mail.id = old.id RETURNING mail.id
  )
  SELECT id, (SELECT count(*) FROM pruned)::integer AS pruned FROM looked_at ORDER BY id DESC LIMIT 1`;

/** The last mail that was looked at, and how many of those up to it were deleted. */
type Batch = Pick<MailboxMail, 'id'> & { readonly pruned: number };

/** Empties the mailbox of mails whose messages are forgotten. */
@Injectable()
export class MailboxRetention {
  private readonly days: number;

  constructor(
    private readonly transactions: Transactions,
    pruning: Pruning,
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.days = retention.messageDays;
    if (this.days > 0) pruning.add('mails', () => this.batches());
  }

  private async *batches(): AsyncGenerator<number> {
    for (let last: string | undefined = NO_ID; last; ) {
      const [batch]: Batch[] = await this.pruneAfter(last);
      yield batch?.pruned ?? 0;
      last = batch?.id;
    }
  }

  private pruneAfter(id: string): Promise<Batch[]> {
    return this.transactions.run(({ manager }) => rowsOf(manager, PRUNE, [this.days, id]));
  }
}
