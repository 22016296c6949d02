import { Injectable } from '@nestjs/common';
import { wasPruned } from '../../backbone/delivery/delivery-retention.js';
import { EventContracts } from '../../backbone/registry/event-contracts.js';
import { Database } from '../../common/database/database.js';
import type { EventCheck, Finding, HandledEvent, ModuleChecks } from '../checks.js';
import { type LoggedEvent, stateOf } from './handled-events.js';

/** Events whose previous version is missing, or has a later position in the log. */
const GAPS = `
  SELECT e.id AS key, e.subject, e.version
    FROM backbone.event e
   WHERE e.id = ANY ($1::uuid[]) AND e.version > 1
     AND NOT EXISTS (SELECT FROM backbone.event p
                      WHERE p.subject = e.subject AND p.version = e.version - 1 AND p.position < e.position)`;

const PRUNED = `
  SELECT event_id || ' ' || subscriber AS pair
    FROM jsonb_to_recordset($1::jsonb) AS m(event_id uuid, subscriber text, position bigint)
   WHERE ${wasPruned('m.position', 'm.subscriber')}`;

/** Checks the guarantees of the backbone on its own rows. */
@Injectable()
export class BackboneChecks implements ModuleChecks {
  readonly eventChecks: readonly EventCheck[];

  constructor(
    private readonly database: Database,
    contracts: EventContracts,
  ) {
    this.eventChecks = [
      {
        name: 'backbone.versions-are-dense',
        description: 'The events of a subject have the versions 1, 2, 3 …, in the sequence of the log',
        remedy: 'Events were deleted or changed by hand: restore them from a backup',
        events: contracts.all,
        findMismatches: (events) => this.gapsIn(events),
      },
      {
        name: 'backbone.events-are-delivered',
        description: 'Every event reached its subscribers in its transaction, or has a delivery for each',
        remedy: 'A repair adds the delivery; it runs after those that were delivered meanwhile',
        events: contracts.all,
        findMismatches: (events: readonly (HandledEvent & LoggedEvent)[]) => this.missingIn(events),
      },
    ];
  }

  private async gapsIn(events: readonly HandledEvent[]): Promise<Finding[]> {
    type Gap = Pick<Finding, 'key' | 'subject'> & { version: number };
    const gaps = await this.database.query<Gap>(GAPS, [events.map(({ id }) => id)]);
    return gaps.map(({ key, subject, version }) => {
      const expected = `an event of version ${version - 1} before that of version ${version}`;
      return { key, subject, expected, found: 'none' };
    });
  }

  private async missingIn(events: readonly LoggedEvent[]): Promise<Finding[]> {
    const missing = events.flatMap((event) =>
      event.owedTo
        .filter((subscription) => stateOf(event, subscription) === undefined)
        .map((subscription) => ({ event, subscription })),
    );
    if (missing.length === 0) return [];
    const rows = missing.map(({ event: { id, position }, subscription: { name } }) => {
      return { event_id: id, subscriber: name, position };
    });
    const pruned = await this.database.query<{ pair: string }>(PRUNED, [JSON.stringify(rows)]);
    const isPruned = new Set(pruned.map(({ pair }) => pair));
    return missing
      .filter(({ event, subscription }) => !isPruned.has(`${event.id} ${subscription.name}`))
      .map(({ event: { id, subject, type }, subscription: { name } }) => {
        const delivery = { eventId: id, subscriber: name };
        return { key: id, subject, expected: `a delivery of ${type} ${id} for ${name}`, found: 'none', delivery };
      });
  }
}
