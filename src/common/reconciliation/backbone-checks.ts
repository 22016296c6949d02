import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Contracts } from '../events/contracts.js';
import { wasPruned } from '../events/pruned-deliveries.js';
import { Checks, type Disagreement } from './checks.js';
import { type LoggedEvent, stateOf } from './heard-events.js';

/** The version before this one is there, and stands before it in the log. */
const GAPS = `
  SELECT e.id AS key, e.subject, e.version
    FROM backbone.event e
   WHERE e.id = ANY ($1::uuid[]) AND e.version > 1
     AND NOT EXISTS (SELECT FROM backbone.event p
                      WHERE p.subject = e.subject AND p.version = e.version - 1 AND p.position < e.position)`;

const PRUNED = `
  SELECT event_id || ' ' || subscriber AS pair
    FROM jsonb_to_recordset($1::jsonb) AS m(event_id uuid, subscriber text, position bigint, names text[])
   WHERE ${wasPruned('m.position', 'm.names')}`;

/** What the backbone promises about its own rows. */
@Injectable()
export class BackboneChecks {
  constructor(
    private readonly database: Database,
    contracts: Contracts,
    checks: Checks,
  ) {
    checks.addEvents({
      name: 'backbone.versions-are-dense',
      means: 'The events of a subject have the versions 1, 2, 3 …, in the order of the log',
      remedy: 'Somebody deleted or changed events by hand: restore them from a backup',
      events: contracts.all,
      look: (events) => this.gapsIn(events),
    });
    checks.addEvents({
      name: 'backbone.events-are-delivered',
      means: 'Every event reached its subscribers in its transaction, or has a delivery for each',
      remedy: 'A repair adds the delivery; it comes after what was delivered since',
      events: contracts.all,
      look: (events) => this.missingIn(events),
    });
  }

  private async gapsIn(events: readonly LoggedEvent[]): Promise<Disagreement[]> {
    type Gap = Pick<Disagreement, 'key' | 'subject'> & { version: number };
    const gaps = await this.database.query<Gap>(GAPS, [events.map(({ id }) => id)]);
    return gaps.map(({ key, subject, version }) => {
      const expected = `an event of version ${version - 1} before that of version ${version}`;
      return { key, subject, expected, found: 'none' };
    });
  }

  private async missingIn(events: readonly LoggedEvent[]): Promise<Disagreement[]> {
    const missing = events.flatMap((event) =>
      event.owedTo
        .filter((subscription) => stateOf(event, subscription) === undefined)
        .map((subscription) => ({ event, subscription })),
    );
    if (missing.length === 0) return [];
    const rows = missing.map(({ event: { id, position }, subscription: { name, names } }) => {
      return { event_id: id, subscriber: name, position, names };
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
