import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import {
  type DeliveryFilter,
  FIRST_PARAMETER_AFTER_FILTER,
  filterCondition,
  filterParameters,
} from '../../backbone/delivery/delivery-reader.js';
import { requeue } from '../../backbone/delivery/requeue.js';
import { deliveryId } from '../../backbone/delivery.js';
import { type Subscription, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit, type AuditEntry } from '../audit/audit.js';
import { type Parked, ReplayTally, type ReplayView, type Suppression } from './replay.dto.js';
import { allEventsFor, type Candidate, deliveriesMatching, type ReadBatch } from './replay-candidates.js';

export interface ReplayOptions {
  readonly preview: boolean;
  readonly reason?: string | undefined;
}

interface Plan extends Pick<AuditEntry, 'action' | 'target'> {
  readonly first: ReadBatch;
  /** Selects the rows among the candidates. */
  readonly filter: DeliveryFilter;
}

/** Dead deliveries before these positions of these partitions that the filter does not select or that are paused. */
const BLOCKERS = `
  SELECT d.event_id AS "eventId", d.subscriber, e.subject, count(*)::integer AS waiting
    FROM unnest($${FIRST_PARAMETER_AFTER_FILTER}::text[], $${FIRST_PARAMETER_AFTER_FILTER + 1}::bigint[]) AS w(order_key, position)
    JOIN backbone.delivery d ON d.order_key = w.order_key AND d.position < w.position
     AND d.state = 'dead' AND d.released_at IS NULL
    JOIN backbone.event e ON e.id = d.event_id
   WHERE ${filterCondition('d', 'e')} IS NOT TRUE
      OR EXISTS (SELECT FROM backbone.paused_subscriber p WHERE p.subscriber = d.subscriber)
   GROUP BY d.event_id, d.subscriber, e.subject ORDER BY d.event_id, d.subscriber`;

/**
 * Makes ended or missing deliveries pending. A delivery that had its effect stays done, because no operator may have an
 * event applied twice. The relays enqueue the due deliveries within a second.
 *
 * Works in batches. Each batch is one transaction, which also stores the progress in the audit entry. If the process
 * dies, the finished batches stay replayed, the audit entry has no end, and a repeated request does the rest.
 */
@Injectable()
export class ReplayService {
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly audit: Audit,
  ) {}

  async deliveries(filter: DeliveryFilter, options: ReplayOptions): Promise<ReplayView> {
    const plan = {
      action: 'replay-deliveries',
      target: { ...filter },
      first: deliveriesMatching(filter),
      filter,
    } as const;
    const tally = await this.run(plan, options);
    if (filter.ids) tally.suppress('not-found', new Set(filter.ids).size - tally.considered);
    return tally.view(options.preview);
  }

  /**
   * Reads the log from its beginning, and adds a delivery for each event that has none for the subscriber. An event
   * that commits meanwhile may be missed if an older build, without the subscriber, publishes it; a repeated request
   * finds it.
   */
  async subscription(subscription: Subscription, options: ReplayOptions): Promise<ReplayView> {
    const subscriber = subscription.name;
    const first = allEventsFor(subscription);
    const plan = { action: 'replay-subscription', target: { subscriber }, first, filter: { subscriber } } as const;
    return (await this.run(plan, options)).view(options.preview);
  }

  private async run({ first, filter, ...auditEntry }: Plan, { preview, reason }: ReplayOptions): Promise<ReplayTally> {
    const id = uuidv7();
    const tally = new ReplayTally();
    const step = async (manager: EntityManager, read: ReadBatch): Promise<ReadBatch | undefined> => {
      const { candidates, next } = await read(manager);
      const selectRunnable = await this.runnable(candidates, manager, tally);
      for (const parked of await this.findParked(selectRunnable, filter, manager)) tally.addParked(parked);
      const run = preview ? selectRunnable : await requeue(selectRunnable, manager);
      for (const each of run) tally.add(each, this.subscriptions.named(each.subscriber)?.mode === 'side-effect');
      // Rows that changed since they were read were claimed by a worker, or replayed by another request.
      tally.suppress('being-handled', selectRunnable.length - run.length);
      const progress = { ...auditEntry, reason: reason ?? null, ...tally.counts, isFinished: next === undefined };
      if (!preview) await this.audit.recordProgress(manager, id, progress);
      return next;
    };
    for (let next: ReadBatch | undefined = first; next; ) {
      const read: ReadBatch = next;
      next = preview
        ? await this.database.read('backbone', (manager) => step(manager, read))
        : await this.database.transaction('backbone', ({ manager }) => step(manager, read));
    }
    return tally;
  }

  private async runnable(
    candidates: readonly Candidate[],
    manager: EntityManager,
    tally: ReplayTally,
  ): Promise<Candidate[]> {
    const paused = await queryRows<{ subscriber: string }>(
      manager,
      'SELECT subscriber FROM backbone.paused_subscriber',
    );
    const isPaused = new Set(paused.map(({ subscriber }) => subscriber));
    return candidates.filter((candidate) => {
      const name = this.subscriptions.named(candidate.subscriber)?.name ?? candidate.subscriber;
      const reason = this.suppressionOf(candidate) ?? (isPaused.has(name) ? 'paused' : undefined);
      if (reason) tally.suppress(reason);
      return reason === undefined;
    });
  }

  private suppressionOf({ state, subscriber, type, ...candidate }: Candidate): Suppression | undefined {
    if (state === 'done') return 'done';
    if (candidate.isPruned) return 'pruned';
    if (candidate.ranInTransaction) return 'ran-in-transaction';
    if (candidate.isLeased) return 'being-handled';
    const subscription = this.subscriptions.named(subscriber);
    if (subscription?.contract.type !== type) return 'unknown-subscriber';
    return subscription.retired && state === null ? 'retired-subscriber' : undefined;
  }

  private async findParked(
    runnable: readonly Candidate[],
    filter: DeliveryFilter,
    manager: EntityManager,
  ): Promise<Parked[]> {
    const parking = runnable.filter(({ subscriber }) => this.subscriptions.named(subscriber)?.behindDead === 'park');
    const partitions = [parking.map(({ partitionKey }) => partitionKey), parking.map(({ position }) => position)];
    type Row = Omit<Parked, 'behind'> & { eventId: string };
    const rows = await queryRows<Row>(manager, BLOCKERS, [...filterParameters(filter), ...partitions]);
    return rows.map(({ eventId, ...row }) => ({ ...row, behind: deliveryId({ eventId, ...row }) }));
  }
}
