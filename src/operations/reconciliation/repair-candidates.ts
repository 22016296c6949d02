import type { EntityManager } from 'typeorm';
import { wasPruned } from '../../backbone/delivery/delivery-retention.js';
import type { RequeueCandidate } from '../../backbone/delivery/requeue.js';
import type { DeliveryRef, DeliveryState } from '../../backbone/delivery.js';
import type { DomainEvent } from '../../backbone/domain-event.js';
import { partitionKeyOf, type Subscriptions } from '../../backbone/registry/subscriptions.js';
import { queryRows } from '../../common/database/query-rows.js';

/** The delivery that mends what was found. */
export type RepairTarget = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

type Row = Omit<DomainEvent, 'occurredAt'> &
  RepairTarget & {
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
         d.state IS NULL AND ${wasPruned('e.position', 'm.subscriber')} AS "isPruned"
    FROM jsonb_to_recordset($1::jsonb) AS m(event_id uuid, subscriber text)
    JOIN backbone.event e ON e.id = m.event_id
    LEFT JOIN backbone.delivery d ON d.event_id = m.event_id AND d.subscriber = m.subscriber
   WHERE d.state IS NULL OR d.state = 'done'`;

/** The deliveries as they stand, missing or done, to be made due. What was pruned in the meantime was not missing. */
export async function repairCandidates(
  mendings: readonly RepairTarget[],
  subscriptions: Subscriptions,
  manager: EntityManager,
): Promise<RequeueCandidate[]> {
  const wanted = mendings.map(({ eventId, subscriber }) => {
    return { event_id: eventId, subscriber };
  });
  const rows = await queryRows<Row>(manager, PRESENT, [JSON.stringify(wanted)]);
  return rows.flatMap(({ occurredAt, ...row }) => {
    const subscription = subscriptions.named(row.subscriber);
    if (!subscription || row.isPruned) return [];
    const partitionKey = partitionKeyOf(subscription, { ...row, occurredAt: occurredAt.toISOString() });
    return [{ ...row, partitionKey }];
  });
}
