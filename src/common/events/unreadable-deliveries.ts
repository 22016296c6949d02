import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Subscriptions } from './subscriptions.js';

/** Nobody needs to know more exactly how many there are. */
const COUNTED_MAX = 10_000;

/** Deliveries that wait for a handler, or hold a version of an event, that this build does not have. */
export interface Unreadable {
  readonly subscriber: string;
  readonly type: string;
  /** As people read it. */
  readonly count: string;
}

/** In one order, so that processes that start together do not wait for each other in a circle. */
const REMEMBER = `
  INSERT INTO backbone.subscriber_type (subscriber, type)
  SELECT * FROM unnest($1::text[], $2::text[]) AS known(subscriber, type) ORDER BY subscriber, type
  ON CONFLICT DO NOTHING`;

/** Goes from one subscriber to the next in the index: however many deliveries wait, this is one look for each of them. */
const WAITED_FOR = `
  WITH RECURSIVE waited_for AS (
    (SELECT subscriber FROM backbone.delivery WHERE state = 'pending' ORDER BY subscriber LIMIT 1)
    UNION ALL
    SELECT (SELECT subscriber FROM backbone.delivery
             WHERE state = 'pending' AND subscriber > last.subscriber ORDER BY subscriber LIMIT 1)
      FROM waited_for last WHERE last.subscriber IS NOT NULL
  )
  SELECT subscriber, coalesce((SELECT array_agg(type) FROM backbone.subscriber_type t
                                WHERE t.subscriber = each.subscriber), '{}') AS types
    FROM (SELECT subscriber FROM waited_for WHERE subscriber IS NOT NULL
          UNION SELECT subscriber FROM backbone.delivery WHERE state = 'dead') each`;

/** $1 the subscriber, $2 the type of event that it hears in this build, if there is one. */
const OF_OTHER_TYPES = `
  SELECT type, count(*)::integer AS count
    FROM (SELECT e.type
            FROM (SELECT event_id FROM backbone.delivery WHERE subscriber = $1 AND state = 'pending'
                  UNION ALL
                  SELECT event_id FROM backbone.delivery WHERE subscriber = $1 AND state = 'dead') d
            JOIN backbone.event e ON e.id = d.event_id
           WHERE e.type IS DISTINCT FROM $2 LIMIT ${COUNTED_MAX + 1}) other
   GROUP BY type ORDER BY type`;

/** Finds what this build could not read, in no more time when a million deliveries wait. */
@Injectable()
export class UnreadableDeliveries {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly database: Database,
  ) {}

  /**
   * Looks into the deliveries of those subscribers alone that this build does not have, or that have ever heard another
   * type of event: every build notes what its own hear before it publishes anything.
   */
  async find(): Promise<Unreadable[]> {
    await this.remember();
    const found: Unreadable[] = [];
    type Row = { readonly subscriber: string; readonly types: readonly string[] };
    for (const { subscriber, types } of await this.database.query<Row>(WAITED_FOR)) {
      const own = this.subscriptions.named(subscriber)?.contract.type;
      if (types.every((type) => type === own) && own !== undefined) continue;
      const others = await this.database.query<{ type: string; count: number }>(OF_OTHER_TYPES, [subscriber, own]);
      found.push(...others.map(({ type, count }) => ({ subscriber, type, count: inWords(count) })));
    }
    return found;
  }

  /** Plain reactions as well: they have deliveries from the time or the place where their module is another process. */
  private async remember(): Promise<void> {
    const pairs = this.subscriptions.all.flatMap(({ names, contract }) => names.map((name) => [name, contract.type]));
    await this.database.query(REMEMBER, [pairs.map(([name]) => name), pairs.map(([, type]) => type)]);
  }
}

function inWords(count: number): string {
  return count > COUNTED_MAX ? `more than ${COUNTED_MAX}` : String(count);
}
