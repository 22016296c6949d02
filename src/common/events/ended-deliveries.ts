import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { tellsOf } from './pruned-deliveries.js';

/** What is dead or skipped can be replayed, so it has not ended for good. Once true, only a repair of what was lost changes this. */
const ENDED = `
  SELECT e.id
    FROM backbone.event e, LATERAL (
      SELECT bool_and(d.state = 'done') AS "allDone" FROM backbone.delivery d
       WHERE d.event_id = e.id AND starts_with(d.subscriber, $2)) rows
   WHERE e.id = ANY ($1::uuid[])
     AND coalesce(rows."allDone", EXISTS (
       SELECT FROM backbone.pruned_delivery p
        WHERE ${tellsOf('p', 'e.position')} AND starts_with(p.subscriber, $2)))`;

/** Tells a module which of its deliveries nothing can bring back, so that it need not remember them either. */
@Injectable()
export class EndedDeliveries {
  constructor(private readonly database: Database) {}

  /** Those of these events about which no handler of the module that has heard of them will be called again, unless to repair what was lost. */
  async of(module: string, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ id: string }>(ENDED, [eventIds, `${module}.`]);
    return new Set(rows.map(({ id }) => id));
  }
}
