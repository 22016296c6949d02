import type { DeliveryState } from '../../backbone/delivery.js';
import type { Subscription, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import type { HandledEvent } from '../checks.js';

/** An event of the log, with who has heard it. */
export interface LoggedEvent {
  readonly id: string;
  readonly position: number;
  readonly subject: string;
  readonly type: string;
  readonly data: unknown;
  readonly occurredAt: Date;
  /** Nothing that happened before it can still be on its way into the log. */
  readonly isOld: boolean;
  /** Of every subscriber that it reached within its transaction or has a delivery for. */
  readonly states: Readonly<Record<string, DeliveryState>>;
  /** Subscribers that existed when it happened. */
  readonly owedTo: readonly Subscription[];
}

const BATCH = 500;
/** No transaction is open for so long by far. */
const OLD_MINUTES = 15;

const COLUMNS = `
  e.id, e.position::float8 AS position, e.subject, e.type, e.data, e.occurred_at AS "occurredAt",
  e.occurred_at < clock_timestamp() - interval '${OLD_MINUTES} minutes' AS "isOld",
  coalesce((SELECT jsonb_object_agg(r ->> 'subscriber', 'done') FROM jsonb_array_elements(e.metadata -> 'reactions') r), '{}')
  || coalesce((SELECT jsonb_object_agg(d.subscriber, d.state) FROM backbone.delivery d WHERE d.event_id = e.id), '{}')
    AS states`;

/** By position: what is younger than the grace may still be on its way. */
const NEXT = `
  SELECT ${COLUMNS} FROM backbone.event e
   WHERE e.position > $1 AND e.occurred_at < clock_timestamp() - $2 * interval '1 second'
   ORDER BY e.position LIMIT ${BATCH}`;

const AGAIN = `SELECT ${COLUMNS} FROM backbone.event e WHERE e.id = ANY ($1::uuid[]) ORDER BY e.position`;

/** Reads the log, a batch at a time, and learns on the way since when each subscriber is there. */
export class HandledEvents {
  /** The position of the first event that each subscriber has heard. */
  readonly firstPositions = new Map<string, number>();

  /** @param everybodyWasThere without having read the log: whoever hears a type now has always heard it */
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly everybodyWasThere = false,
  ) {}

  /** A subscriber is there from this position on, if not from an earlier one. */
  learn(name: string, position: number): void {
    this.firstPositions.set(name, Math.min(position, this.sinceOf(name)));
  }

  /** None at the end. */
  async after(position: number, graceSeconds: number): Promise<LoggedEvent[]> {
    return this.annotate(await this.database.query<LoggedEvent>(NEXT, [position, graceSeconds]));
  }

  async again(ids: readonly string[]): Promise<LoggedEvent[]> {
    return this.annotate(await this.database.query<LoggedEvent>(AGAIN, [ids]));
  }

  /** Those about which a module can be asked. */
  handledIn(module: string, events: readonly LoggedEvent[]): (LoggedEvent & HandledEvent)[] {
    return events.flatMap((event) => {
      const own = this.subscriptions.to(event.type).filter((subscription) => subscription.module === module);
      const isSettled = own.every((subscription) => stateOf(event, subscription) === 'done');
      return isSettled ? [{ ...event, handledBy: own.map(({ name }) => name) }] : [];
    });
  }

  /** Whether a module can be asked about an event later, and not yet: one of its handlers has still to be done with it. */
  isOpenIn(module: string, event: LoggedEvent): boolean {
    return this.subscriptions.to(event.type).some((subscription) => {
      const state = stateOf(event, subscription);
      return subscription.module === module && state !== undefined && state !== 'done';
    });
  }

  private annotate(events: readonly LoggedEvent[]): LoggedEvent[] {
    return events.map((event) => {
      const all = this.subscriptions.to(event.type);
      for (const each of all) if (stateOf(event, each) !== undefined) this.learn(each.name, event.position);
      const owedTo = all.filter(({ name }) => this.everybodyWasThere || this.sinceOf(name) <= event.position);
      return { ...event, owedTo };
    });
  }

  private sinceOf(name: string): number {
    return this.firstPositions.get(name) ?? Number.POSITIVE_INFINITY;
  }
}

/** Undefined: the event did not reach the subscriber. */
export function stateOf({ states }: Pick<LoggedEvent, 'states'>, { name }: Subscription): DeliveryState | undefined {
  return states[name];
}
