import type { EntityManager } from 'typeorm';
import { rowsOf } from '../database/rows-of.js';
import type { DeliveryRef, DeliveryState } from '../events/delivery.js';
import type { DomainEvent } from '../events/domain-event.js';
import { wasPruned } from '../events/pruned-deliveries.js';
import { orderKeyOf, type Subscriptions } from '../events/subscriptions.js';
import type { Candidate } from '../operations/replay-candidates.js';

/** The delivery that mends what was found. */
export type Mending = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

type Row = Omit<DomainEvent, 'occurredAt'> &
  Mending & {
    readonly occurredAt: Date;
    readonly position: number;
    readonly state: DeliveryState | null;
    readonly claims: number;
    readonly isPruned: boolean;
  };

/** What waits, is dead or was skipped is in an operator's hands already; what was pruned has had its effect. */
const PRESENT = `
  SELECT e.id, e.type, e.subject, e.data, e.occurred_at AS "occurredAt", e.correlation_id AS "correlationId",
         e.causation_id AS "causationId", e.position::float8 AS position, m.event_id AS "eventId", m.subscriber,
         d.state, coalesce(d.claims, 0) AS claims,
         d.state IS NULL AND ${wasPruned('e.position', 'm.names')} AS "isPruned"
    FROM jsonb_to_recordset($1::jsonb) AS m(event_id uuid, subscriber text, names text[])
    JOIN backbone.event e ON e.id = m.event_id
    LEFT JOIN backbone.delivery d ON d.event_id = m.event_id AND d.subscriber = m.subscriber
   WHERE d.state IS NULL OR d.state = 'done'`;

/** The deliveries as they stand, missing or done, to be made due. What was pruned in the meantime was not missing. */
export async function mendingsOf(
  mendings: readonly Mending[],
  subscriptions: Subscriptions,
  manager: EntityManager,
): Promise<Candidate[]> {
  const wanted = mendings.map(({ eventId, subscriber }) => {
    return { event_id: eventId, subscriber, names: subscriptions.named(subscriber)?.names ?? [] };
  });
  const rows = await rowsOf<Row>(manager, PRESENT, [JSON.stringify(wanted)]);
  return rows.flatMap(({ occurredAt, ...row }) => {
    const subscription = subscriptions.named(row.subscriber);
    if (!subscription || row.isPruned) return [];
    const orderKey = orderKeyOf(subscription, { ...row, occurredAt: occurredAt.toISOString() });
    return [{ ...row, orderKey, isLeased: false, ranInTransaction: false }];
  });
}
