import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { wasPruned } from '../../backbone/delivery/delivery-retention.js';
import { type RequeueCandidate, requeue } from '../../backbone/delivery/requeue.js';
import { type DeliveryRef, type DeliveryState, deliveryId } from '../../backbone/delivery.js';
import type { DomainEvent } from '../../backbone/domain-event.js';
import { partitionKeyOf, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit } from '../audit/audit.js';
import type { Finding } from '../checks.js';
import { CheckRegistry, findingKey, recheck } from './check-registry.js';
import { HandledEvents } from './handled-events.js';
import { type LeftReason, type RepairOptions, type RepairView, SHOWN_MAX } from './reconciliation.dto.js';
import { Reports } from './reports.js';

/** The delivery whose run repairs a finding. */
type RepairTarget = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

type Row = Omit<DomainEvent, 'occurredAt'> &
  RepairTarget & {
    readonly occurredAt: Date;
    readonly position: number;
    readonly state: DeliveryState | null;
    readonly claims: number;
    readonly isPruned: boolean;
  };

/**
 * Pending, dead and skipped deliveries are left out, because they are an operator's decision; pruned ones had their
 * effect.
 */
const PRESENT = `
  SELECT e.id, e.type, e.subject, e.data, e.occurred_at AS "occurredAt", e.correlation_id AS "correlationId",
         e.causation_id AS "causationId", e.position::float8 AS position, target.event_id AS "eventId", target.subscriber,
         d.state, coalesce(d.claims, 0) AS claims,
         d.state IS NULL AND ${wasPruned('e.position', 'target.subscriber')} AS "isPruned"
    FROM jsonb_to_recordset($1::jsonb) AS target(event_id uuid, subscriber text)
    JOIN backbone.event e ON e.id = target.event_id
    LEFT JOIN backbone.delivery d ON d.event_id = target.event_id AND d.subscriber = target.subscriber
   WHERE d.state IS NULL OR d.state = 'done'`;

/** The findings that a repair can resolve, and the number of the others by reason. */
interface Assessment {
  readonly targets: RepairTarget[];
  readonly left: Map<LeftReason, number>;
}

/**
 * Repairs findings where that is safe: runs a delivery for the first time, or again where its handler is safe to
 * repeat. Checks every finding again before, and leaves out those that do not exist any more.
 */
@Injectable()
export class RepairService {
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly checks: CheckRegistry,
    private readonly reports: Reports,
    private readonly audit: Audit,
  ) {}

  /** The relays enqueue the due deliveries within a second. */
  async repair(options: RepairOptions): Promise<RepairView> {
    const { targets, left } = await this.assess(options);
    const repaired = options.preview
      ? await this.database.read('backbone', (manager) => repairCandidates(targets, this.subscriptions, manager))
      : await this.database.transaction('backbone', async ({ manager }) => {
          const requeued = await requeue(await repairCandidates(targets, this.subscriptions, manager), manager);
          await this.recordAudit(options, requeued, manager);
          return requeued;
        });
    add(left, 'agrees-by-now', targets.length - repaired.length);
    const sideEffects = repaired.filter(({ subscriber }) => this.isSideEffect(subscriber)).length;
    return {
      preview: options.preview,
      mended: repaired.length,
      sideEffects,
      left: [...left].map(([reason, count]) => ({ reason, count })),
      ids: repaired.slice(0, SHOWN_MAX).map(deliveryId),
    };
  }

  private async assess({ check: name, subject }: RepairOptions): Promise<Assessment> {
    const assessed: Assessment = { targets: [], left: new Map() };
    for (const report of await this.reports.last()) {
      if (name !== undefined && report.check !== name) continue;
      const findings = report.findings.filter((finding) => subject === undefined || finding.subject === subject);
      const repairable = findings.filter(({ delivery }) => delivery);
      add(assessed.left, 'no-safe-repair', findings.length - repairable.length);
      const check = this.checks.all.find((each) => each.name === report.check);
      if (!check) add(assessed.left, 'in-another-process', repairable.length);
      if (!check || repairable.length === 0) continue;
      const handledEvents = new HandledEvents(this.database, this.subscriptions, true);
      const keys = repairable.map(({ key }) => key);
      const present = withKeysOf(repairable, await recheck(check, keys, handledEvents));
      add(assessed.left, 'agrees-by-now', repairable.length - present.length);
      assessed.targets.push(...present.flatMap(({ delivery }) => delivery ?? []));
    }
    return assessed;
  }

  private async recordAudit(
    options: RepairOptions,
    requeued: readonly RequeueCandidate[],
    manager: EntityManager,
  ): Promise<void> {
    if (requeued.length === 0) return;
    const missing = requeued.filter(({ state }) => state === null).length;
    await this.audit.record(manager, {
      action: 'repair-findings',
      target: { check: options.check, subject: options.subject },
      reason: options.reason ?? null,
      before: { missing, done: requeued.length - missing },
      after: { pending: requeued.length },
    });
  }

  private isSideEffect(subscriber: string): boolean {
    return this.subscriptions.named(subscriber)?.mode === 'side-effect';
  }
}

function withKeysOf(known: readonly Finding[], findings: readonly Finding[]): Finding[] {
  const keys = new Set(known.map(findingKey));
  return findings.filter((each) => keys.has(findingKey(each)));
}

function add(left: Map<LeftReason, number>, reason: LeftReason, count: number): void {
  if (count > 0) left.set(reason, (left.get(reason) ?? 0) + count);
}

/**
 * The present rows of these deliveries that are done or missing. A delivery that retention has deleted is not missing.
 */
export async function repairCandidates(
  targets: readonly RepairTarget[],
  subscriptions: Subscriptions,
  manager: EntityManager,
): Promise<RequeueCandidate[]> {
  const wanted = targets.map(({ eventId, subscriber }) => {
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
