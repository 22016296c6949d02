import { Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { StartFailure } from '../../common/errors/start-failure.js';
import type { EventContracts } from '../registry/event-contracts.js';
import { Subscriptions } from '../registry/subscriptions.js';

/** No exact number is needed beyond this. */
const COUNTED_MAX = 10_000;

/** This build cannot work with this database. */
export class StartRefused extends StartFailure {
  override readonly name = 'StartRefused';

  constructor(problems: readonly string[]) {
    super(['The program cannot start:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/**
 * Every event has a subscriber, or allows that it has none.
 * @throws {StartRefused} naming the events that no subscriber would receive
 */
export function assertSubscribed(contracts: EventContracts, subscriptions: Subscriptions): void {
  const missing = contracts.all.filter(
    ({ type, allowNoSubscribers }) => !allowNoSubscribers && subscriptions.to(type).length === 0,
  );
  if (missing.length === 0) return;
  throw new StartRefused(
    missing.map(({ type }) => `no subscriber for ${type}: add one, or set "allowNoSubscribers: true" in its contract`),
  );
}

/** Unfinished deliveries for a subscriber, or of a version of an event, that this build does not have. */
interface UnreadableDeliveries {
  readonly subscriber: string;
  readonly type: string;
  readonly count: number;
}

/** Sorted, so that processes that start together cannot deadlock. */
const REMEMBER = `
  INSERT INTO backbone.subscriber_type (subscriber, type)
  SELECT * FROM unnest($1::text[], $2::text[]) AS known(subscriber, type) ORDER BY subscriber, type
  ON CONFLICT DO NOTHING`;

/** Skips through the index from one subscriber to the next: one probe for each, however many deliveries are pending. */
const WITH_UNFINISHED_DELIVERIES = `
  WITH RECURSIVE pending AS (
    (SELECT subscriber FROM backbone.delivery WHERE state = 'pending' ORDER BY subscriber LIMIT 1)
    UNION ALL
    SELECT (SELECT subscriber FROM backbone.delivery
             WHERE state = 'pending' AND subscriber > last.subscriber ORDER BY subscriber LIMIT 1)
      FROM pending last WHERE last.subscriber IS NOT NULL
  )
  SELECT subscriber, coalesce((SELECT array_agg(type) FROM backbone.subscriber_type t
                                WHERE t.subscriber = each.subscriber), '{}') AS types
    FROM (SELECT subscriber FROM pending WHERE subscriber IS NOT NULL
          UNION SELECT subscriber FROM backbone.delivery WHERE state = 'dead') each`;

/** $1 the subscriber, $2 the type of event that it subscribes to in this build, if any. */
const OF_OTHER_TYPES = `
  SELECT type, count(*)::integer AS count
    FROM (SELECT e.type
            FROM (SELECT event_id FROM backbone.delivery WHERE subscriber = $1 AND state = 'pending'
                  UNION ALL
                  SELECT event_id FROM backbone.delivery WHERE subscriber = $1 AND state = 'dead') d
            JOIN backbone.event e ON e.id = d.event_id
           WHERE e.type IS DISTINCT FROM $2 LIMIT ${COUNTED_MAX + 1}) other
   GROUP BY type ORDER BY type`;

/** Refuses to start where a delivery would never be handled. Takes no longer when a million deliveries are pending. */
@Injectable()
export class StartUpChecks {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly database: Database,
  ) {}

  /** @throws {StartRefused} naming every subscriber and event version that this build does not have */
  async run(): Promise<void> {
    const problems = (await this.unreadableDeliveries()).map(({ subscriber, type, count }) => {
      const number = count > COUNTED_MAX ? `more than ${COUNTED_MAX}` : String(count);
      return `${number} unfinished deliveries of ${type} wait for ${subscriber}, which this build does not have: run the build that has it until they are done or skipped, or give its renamed method the permanent name ${subscriber}`;
    });
    if (problems.length > 0) throw new StartRefused(problems);
  }

  /**
   * Reads only the deliveries of subscribers that this build does not have, or that ever subscribed to another event
   * type: every build stores the types of its subscribers before it publishes anything.
   */
  private async unreadableDeliveries(): Promise<UnreadableDeliveries[]> {
    await this.rememberTypes();
    const found: UnreadableDeliveries[] = [];
    type Row = { readonly subscriber: string; readonly types: readonly string[] };
    for (const { subscriber, types } of await this.database.query<Row>(WITH_UNFINISHED_DELIVERIES)) {
      const own = this.subscriptions.named(subscriber)?.contract.type;
      if (types.every((type) => type === own) && own !== undefined) continue;
      const others = await this.database.query<{ type: string; count: number }>(OF_OTHER_TYPES, [subscriber, own]);
      found.push(...others.map(({ type, count }) => ({ subscriber, type, count })));
    }
    return found;
  }

  /** Plain reactions too: they have deliveries from a process in which their module does not run. */
  private async rememberTypes(): Promise<void> {
    const { all } = this.subscriptions;
    await this.database.query(REMEMBER, [all.map(({ name }) => name), all.map(({ contract }) => contract.type)]);
  }
}
