import { Injectable } from '@nestjs/common';
import type { DeliveryRef } from '../events/delivery.js';
import type { EventContract } from '../events/domain-event.js';
import type { HeardEvent } from './heard-events.js';

type Delivery = Pick<DeliveryRef, 'eventId' | 'subscriber'>;

/** Two things that should agree and do not. Told to operators, so it names ids, and nobody in person. */
export interface Disagreement {
  /** Of the row, or of the event, that was looked at: to look at it again. */
  readonly key: string;
  /** The thing that it is about, as events name it: `order/0192…`. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
  /** Where it is safe to mend: the delivery that does so when it runs, for the first time or once more. */
  readonly delivery?: Delivery | undefined;
}

interface Check {
  /** Module, dot, what should hold: `inventory.levels-are-their-ledgers`. A label of metrics, so never renamed lightly. */
  readonly name: string;
  /** The same as a sentence. */
  readonly means: string;
  /** What a person does about it. */
  readonly remedy: string;
}

/** Compares a module's own rows with each other, or with what it has said about them. */
export interface RowCheck extends Check {
  /** So many keys of rows after the last one, in an order of their own; none at the end. */
  keysAfter(last: string | undefined, limit: number): Promise<readonly string[]>;
  look(keys: readonly string[]): Promise<readonly Disagreement[]>;
}

/**
 * Compares a module's own rows with events: what has been heard must show. A module is asked about those events only
 * that all of its handlers are done with, so whatever is on its way, waits or is dead is no disagreement.
 */
export interface EventCheck extends Check {
  readonly events: readonly EventContract[];
  look(events: readonly HeardEvent[]): Promise<readonly Disagreement[]>;
}

/**
 * What modules and the backbone have to say about whether all is well. Nothing but its own rows is looked at by any of
 * them, and what must agree with others is compared with events, so a module can leave with its checks.
 */
@Injectable()
export class Checks {
  readonly rows: RowCheck[] = [];
  readonly events: EventCheck[] = [];

  addRows(check: RowCheck): void {
    this.rows.push(check);
  }

  addEvents(check: EventCheck): void {
    this.events.push(check);
  }

  get all(): readonly (RowCheck | EventCheck)[] {
    return [...this.rows, ...this.events];
  }
}
