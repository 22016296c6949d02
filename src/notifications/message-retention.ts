import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EndedDeliveries } from '../backbone/ended-deliveries.js';
import { Transactions } from '../backbone/transaction.js';
import { queryRows } from '../common/database/query-rows.js';
import { daysAgo, NIL_UUID, smallestIdAt } from '../common/retention/age.js';
import type { RetentionPolicy } from '../common/retention/retention.js';
import { CONFIG, type Config } from '../config.js';
import type { Message } from './message.entity.js';

const BATCH_SIZE = 200;

type Old = Pick<Message, 'id' | 'eventId'>;

/** The age of a message counts from its sending, which may be long after its creation. */
const OLD = `
  SELECT id, event_id AS "eventId" FROM notifications.message
   WHERE id > $2 AND id < ${smallestIdAt(daysAgo('$1'))} AND state IN ('sent', 'failed')
     AND coalesce(sent_at, created_at) < ${daysAgo('$1')}
   ORDER BY id LIMIT ${BATCH_SIZE}`;

/** Stores the newest event whose message was deleted: KEEP_MESSAGES_DAYS may have been different at that time. */
const PRUNE = `
  WITH pruned AS (
    DELETE FROM notifications.message WHERE id IN (
      SELECT id FROM notifications.message
       WHERE id = ANY ($1::uuid[]) AND state IN ('sent', 'failed') ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING event_id
  ), remembered AS (
    INSERT INTO notifications.newest_forgotten AS newest (event_id)
    SELECT event_id FROM pruned ORDER BY event_id DESC LIMIT 1
    ON CONFLICT (only_row) DO UPDATE SET event_id = greatest(newest.event_id, excluded.event_id)
  )
  SELECT 1 FROM pruned`;

/** The newest event whose message was deleted, whatever KEEP_MESSAGES_DAYS was then; the nil UUID if there is none. */
export async function newestForgotten(manager: EntityManager): Promise<string> {
  const [newest] = await queryRows<Pick<Message, 'eventId'>>(
    manager,
    'SELECT event_id AS "eventId" FROM notifications.newest_forgotten',
  );
  return newest?.eventId ?? NIL_UUID;
}

/**
 * Deletes old messages, because they contain personal data. The row of a message prevents that it is sent twice. So it
 * is kept, however old it is, while a delivery of its event may still run.
 */
@Injectable()
export class MessageRetention implements RetentionPolicy {
  readonly kind = 'messages';
  private readonly days: number;

  constructor(
    private readonly transactions: Transactions,
    private readonly endedDeliveries: EndedDeliveries,
    @Inject(CONFIG) { messageDays }: Config,
  ) {
    this.days = messageDays;
  }

  async *batches(): AsyncGenerator<number> {
    if (this.days === 0) return;
    for (let last: string | undefined = NIL_UUID; last; ) {
      const old: Old[] = await this.oldAfter(last);
      yield await this.prune(old);
      last = old.length === BATCH_SIZE ? old.at(-1)?.id : undefined;
    }
  }

  private oldAfter(id: string): Promise<Old[]> {
    return this.transactions.read((manager) => queryRows<Old>(manager, OLD, [this.days, id]));
  }

  private async prune(old: readonly Old[]): Promise<number> {
    const eventIds = old.map(({ eventId }) => eventId);
    const ended = await this.endedDeliveries.of('notifications', eventIds);
    const ids = old.filter(({ eventId }) => ended.has(eventId)).map(({ id }) => id);
    return this.transactions.run(async ({ manager }) => (await queryRows(manager, PRUNE, [ids])).length);
  }
}
