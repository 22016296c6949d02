import type { DeliveryState } from '../../backbone/delivery.js';
import type { Subscription, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import type { HandledEvent } from '../checks.js';

/** An event of the log with the states of its subscribers. */
export interface LoggedEvent {
  readonly id: string;
  readonly position: number;
  readonly subject: string;
  readonly type: string;
  readonly data: unknown;
  readonly occurredAt: Date;
  /** So old that no open transaction can still commit an event before it. */
  readonly isOld: boolean;
  /** By subscriber: `done` where it ran in the transaction of the event, else the state of its delivery. */
  readonly states: Readonly<Record<string, DeliveryState>>;
  /** Subscribers that existed when the event occurred. */
  readonly owedTo: readonly Subscription[];
}

const BATCH_SIZE = 500;
/** Far longer than any transaction stays open. */
const OLD_MINUTES = 15;

const COLUMNS = `
  e.id, e.position::float8 AS position, e.subject, e.type, e.data, e.occurred_at AS "occurredAt",
  e.occurred_at < clock_timestamp() - interval '${OLD_MINUTES} minutes' AS "isOld",
  coalesce((SELECT jsonb_object_agg(r ->> 'subscriber', 'done') FROM jsonb_array_elements(e.metadata -> 'reactions') r), '{}')
  || coalesce((SELECT jsonb_object_agg(d.subscriber, d.state) FROM backbone.delivery d WHERE d.event_id = e.id), '{}')
    AS states`;

/**
 * Sorted by position. Events that are younger than the grace period are skipped, because their deliveries may still
 * run.
 */
const NEXT = `
  SELECT ${COLUMNS} FROM backbone.event e
   WHERE e.position > $1 AND e.occurred_at < clock_timestamp() - $2 * interval '1 second'
   ORDER BY e.position LIMIT ${BATCH_SIZE}`;

const BY_IDS = `SELECT ${COLUMNS} FROM backbone.event e WHERE e.id = ANY ($1::uuid[]) ORDER BY e.position`;

/** Reads the log in batches, and notes since which position each subscriber exists. */
export class HandledEvents {
  /** The position of the first event that each subscriber has received. */
  readonly firstPositions = new Map<string, number>();

  /**
   * @param subscribedFromStart takes all present subscribers as subscribed since the beginning, where the log is not
   * read
   */
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly subscribedFromStart = false,
  ) {}

  /** The subscriber exists since this position, or since an earlier one that is noted already. */
  noteFirstPosition(name: string, position: number): void {
    this.firstPositions.set(name, Math.min(position, this.firstPositionOf(name)));
  }

  /** The next batch; empty at the end of the log. */
  async readAfter(position: number, graceSeconds: number): Promise<LoggedEvent[]> {
    return this.annotate(await this.database.query<LoggedEvent>(NEXT, [position, graceSeconds]));
  }

  async byIds(ids: readonly string[]): Promise<LoggedEvent[]> {
    return this.annotate(await this.database.query<LoggedEvent>(BY_IDS, [ids]));
  }

  /** The events that all subscribers of the module have handled, which its checks may receive. */
  handledIn(module: string, events: readonly LoggedEvent[]): (LoggedEvent & HandledEvent)[] {
    return events.flatMap((event) => {
      const own = this.subscriptions.to(event.type).filter((subscription) => subscription.module === module);
      const isHandled = own.every((subscription) => stateOf(event, subscription) === 'done');
      return isHandled ? [{ ...event, handledBy: own.map(({ name }) => name) }] : [];
    });
  }

  /** Whether a delivery of the event to the module is not done, so that its checks can receive the event only later. */
  isUnfinishedIn(module: string, event: LoggedEvent): boolean {
    return this.subscriptions.to(event.type).some((subscription) => {
      const state = stateOf(event, subscription);
      return subscription.module === module && state !== undefined && state !== 'done';
    });
  }

  private annotate(events: readonly LoggedEvent[]): LoggedEvent[] {
    return events.map((event) => {
      const all = this.subscriptions.to(event.type);
      for (const each of all) if (stateOf(event, each) !== undefined) this.noteFirstPosition(each.name, event.position);
      const owedTo = all.filter(({ name }) => this.subscribedFromStart || this.firstPositionOf(name) <= event.position);
      return { ...event, owedTo };
    });
  }

  private firstPositionOf(name: string): number {
    return this.firstPositions.get(name) ?? Number.POSITIVE_INFINITY;
  }
}

/** Undefined: the event did not reach the subscriber. */
export function stateOf({ states }: Pick<LoggedEvent, 'states'>, { name }: Subscription): DeliveryState | undefined {
  return states[name];
}
