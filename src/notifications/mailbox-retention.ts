import { Inject, Injectable } from '@nestjs/common';
import { Transactions } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { daysAgo, NIL_UUID, smallestIdAt } from '../common/retention/age.js';
import type { RetentionPolicy } from '../common/retention/retention.js';
import { CONFIG, type Config } from '../config.js';
import type { MailboxMail } from './mailbox-mail.entity.js';

const BATCH_SIZE = 200;
const EVENT_IN_MESSAGE_ID = `'^<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.]'`;

/**
 * A mail is deleted after its message: until then the message may be sent again, and the unique `message_id` of the
 * mail prevents a second one. The scan is limited, not only the DELETE, so that each statement is short however many
 * mails stay.
 */
const PRUNE = `
  WITH scanned AS MATERIALIZED (
    SELECT id FROM notifications.mailbox_mail
     WHERE id > $2 AND id < ${smallestIdAt(daysAgo('$1'))} ORDER BY id LIMIT ${BATCH_SIZE}
  ), old AS (
    SELECT id FROM notifications.mailbox_mail mail JOIN scanned USING (id)
     WHERE created_at < ${daysAgo('$1')}
       AND NOT EXISTS (SELECT FROM notifications.message
                        WHERE event_id = substring(mail.message_id FROM ${EVENT_IN_MESSAGE_ID})::uuid)
     ORDER BY id FOR UPDATE OF mail SKIP LOCKED
  ), pruned AS (
    DELETE FROM notifications.mailbox_mail mail USING old WHERE mail.id = old.id RETURNING mail.id
  )
  SELECT id, (SELECT count(*) FROM pruned)::integer AS pruned FROM scanned ORDER BY id DESC LIMIT 1`;

/** The last scanned mail, and the number of deleted mails of the batch. */
type Batch = Pick<MailboxMail, 'id'> & { readonly pruned: number };

/** Deletes old mails whose messages are deleted. */
@Injectable()
export class MailboxRetention implements RetentionPolicy {
  readonly kind = 'mails';
  private readonly days: number;

  constructor(
    private readonly transactions: Transactions,
    @Inject(CONFIG) { messageDays }: Config,
  ) {
    this.days = messageDays;
  }

  async *batches(): AsyncGenerator<number> {
    if (this.days === 0) return;
    for (let last: string | undefined = NIL_UUID; last; ) {
      const [batch]: Batch[] = await this.pruneAfter(last);
      yield batch?.pruned ?? 0;
      last = batch?.id;
    }
  }

  private pruneAfter(id: string): Promise<Batch[]> {
    return this.transactions.run(({ manager }) => queryRows(manager, PRUNE, [this.days, id]));
  }
}
