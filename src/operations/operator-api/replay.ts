import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import {
  AFTER_FILTER,
  type DeliveryFilter,
  filterParameters,
  matching,
} from '../../backbone/delivery/delivery-reader.js';
import { requeue } from '../../backbone/delivery/requeue.js';
import { deliveryId } from '../../backbone/delivery.js';
import { type Subscription, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit, type AuditEntry } from '../audit/audit.js';
import type { Parked, ReplayView, Suppression } from './replay.dto.js';
import { type Candidate, deliveriesMatching, everythingFor, type ReadBatch } from './replay-candidates.js';
import { ReplayTally } from './replay-outcome.js';

/** How it is asked for. */
export interface ReplayOptions {
  readonly preview: boolean;
  readonly reason?: string | undefined;
}

interface Plan extends Pick<AuditEntry, 'action' | 'target'> {
  readonly first: ReadBatch;
  /** Means the deliveries among the candidates. */
  readonly filter: DeliveryFilter;
}

/** Dead ones before the candidates of these lines and positions, which are not candidates themselves. */
const BLOCKERS = `
  SELECT d.event_id AS "eventId", d.subscriber, e.subject, count(*)::integer AS waiting
    FROM unnest($${AFTER_FILTER}::text[], $${AFTER_FILTER + 1}::bigint[]) AS w(order_key, position)
    JOIN backbone.delivery d ON d.order_key = w.order_key AND d.position < w.position
     AND d.state = 'dead' AND d.released_at IS NULL
    JOIN backbone.event e ON e.id = d.event_id
   WHERE ${matching('d', 'e')} IS NOT TRUE
      OR EXISTS (SELECT FROM backbone.paused_subscriber p WHERE p.subscriber = d.subscriber)
   GROUP BY d.event_id, d.subscriber, e.subject ORDER BY d.event_id, d.subscriber`;

/**
 * Has deliveries run again, or for the first time, unless they have had their effect: that it is had once is not the
 * operator's to change. The relays find within a second what is due.
 *
 * Works in batches, each in a transaction of its own that also writes how far it has come. When the process dies in the
 * middle, what was replayed stays so, the entry in the audit stays without an end, and the same request does the rest.
 */
@Injectable()
export class ReplayService {
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly audit: Audit,
  ) {}

  async deliveries(filter: DeliveryFilter, order: ReplayOptions): Promise<ReplayView> {
    const plan = {
      action: 'replay-deliveries',
      target: { ...filter },
      first: deliveriesMatching(filter),
      filter,
    } as const;
    const outcome = await this.carryOut(plan, order);
    if (filter.ids) outcome.suppress('not-found', new Set(filter.ids).size - outcome.considered);
    return outcome.view(order.preview);
  }

  /**
   * From the beginning of the log, in its order: events that owe the subscriber no delivery yet get one. An event that
   * an older build writes meanwhile may be passed over, and is found when the request is repeated.
   */
  async subscription(subscription: Subscription, order: ReplayOptions): Promise<ReplayView> {
    const subscriber = subscription.name;
    const first = everythingFor(subscription);
    const plan = { action: 'replay-subscription', target: { subscriber }, first, filter: { subscriber } } as const;
    return (await this.carryOut(plan, order)).view(order.preview);
  }

  private async carryOut({ first, filter, ...deed }: Plan, { preview, reason }: ReplayOptions): Promise<ReplayTally> {
    const id = uuidv7();
    const outcome = new ReplayTally();
    const step = async (manager: EntityManager, look: ReadBatch): Promise<ReadBatch | undefined> => {
      const { candidates, next } = await look(manager);
      const runnable = await this.runnable(candidates, manager, outcome);
      for (const parked of await this.parkedAmong(runnable, filter, manager)) outcome.park(parked);
      const run = preview ? runnable : await requeue(runnable, manager);
      for (const each of run) outcome.add(each, this.subscriptions.named(each.subscriber)?.mode === 'side-effect');
      // What has changed since it was looked at was taken up by somebody.
      outcome.suppress('being-handled', runnable.length - run.length);
      const progress = { ...deed, reason: reason ?? null, ...outcome.counts, isFinished: next === undefined };
      if (!preview) await this.audit.recordProgress(manager, id, progress);
      return next;
    };
    for (let look: ReadBatch | undefined = first; look; ) {
      const here: ReadBatch = look;
      look = preview
        ? await this.database.read('backbone', (manager) => step(manager, here))
        : await this.database.transaction('backbone', ({ manager }) => step(manager, here));
    }
    return outcome;
  }

  private async runnable(
    candidates: readonly Candidate[],
    manager: EntityManager,
    outcome: ReplayTally,
  ): Promise<Candidate[]> {
    const paused = await queryRows<{ subscriber: string }>(
      manager,
      'SELECT subscriber FROM backbone.paused_subscriber',
    );
    const isPaused = new Set(paused.map(({ subscriber }) => subscriber));
    return candidates.filter((candidate) => {
      const name = this.subscriptions.named(candidate.subscriber)?.name ?? candidate.subscriber;
      const reason = this.suppressionOf(candidate) ?? (isPaused.has(name) ? 'paused' : undefined);
      if (reason) outcome.suppress(reason);
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

  private async parkedAmong(
    runnable: readonly Candidate[],
    filter: DeliveryFilter,
    manager: EntityManager,
  ): Promise<Parked[]> {
    const parking = runnable.filter(({ subscriber }) => this.subscriptions.named(subscriber)?.behindDead === 'park');
    const lines = [parking.map(({ partitionKey }) => partitionKey), parking.map(({ position }) => position)];
    type Row = Omit<Parked, 'behind'> & { eventId: string };
    const rows = await queryRows<Row>(manager, BLOCKERS, [...filterParameters(filter), ...lines]);
    return rows.map(({ eventId, ...row }) => ({ ...row, behind: deliveryId({ eventId, ...row }) }));
  }
}
