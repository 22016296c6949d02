import { Injectable } from '@nestjs/common';
import { Database } from '../common/database/database.js';
import { isPrunedIn } from './delivery/delivery-retention.js';

/** Dead and skipped deliveries can be replayed, so they do not count. Only a repair of lost rows changes a result. */
const ENDED = `
  SELECT e.id
    FROM backbone.event e, LATERAL (
      SELECT bool_and(d.state = 'done') AS "allDone" FROM backbone.delivery d
       WHERE d.event_id = e.id AND starts_with(d.subscriber, $2)) rows
   WHERE e.id = ANY ($1::uuid[])
     AND coalesce(rows."allDone", EXISTS (
       SELECT FROM backbone.pruned_delivery p
        WHERE ${isPrunedIn('p', 'e.position')} AND starts_with(p.subscriber, $2)))`;

/** Which deliveries of a module have ended for good, so that the module may delete its rows against duplicates. */
@Injectable()
export class EndedDeliveries {
  constructor(private readonly database: Database) {}

  /** Returns those of these events for which no handler of the module will run again. */
  async of(module: string, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ id: string }>(ENDED, [eventIds, `${module}.`]);
    return new Set(rows.map(({ id }) => id));
  }
}
