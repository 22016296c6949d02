import type { Type } from '@nestjs/common';
import type { DeliveryRef } from '../backbone/delivery.js';
import type { EventContract } from '../backbone/domain-event.js';

/** A mismatch between two things that must agree. Operators read it, so it contains ids and no personal data. */
export interface Finding {
  /** Id of the row or event that was checked, by which it is checked again. */
  readonly key: string;
  /** Subject as in events: `order/0192…`. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
  /** The delivery that repairs the mismatch when it runs, where a repair is safe. */
  readonly delivery?: Pick<DeliveryRef, 'eventId' | 'subscriber'> | undefined;
}

interface Check {
  /** `<module>.<what-must-hold>`, e.g. `inventory.levels-are-their-ledgers`. Also a metric label, so it is permanent. */
  readonly name: string;
  /** The rule that must hold, as a sentence. */
  readonly description: string;
  /** The steps that an operator takes for a mismatch. */
  readonly remedy: string;
}

/** Compares rows of a module with each other, or with the events that it published about them. */
export interface RowCheck extends Check {
  /** Returns up to `limit` keys after the last one, sorted; none at the end. */
  keysAfter(last: string | undefined, limit: number): Promise<readonly string[]>;
  findMismatches(keys: readonly string[]): Promise<readonly Finding[]>;
}

/** An event of the log, as a check of a module receives it. */
export interface HandledEvent {
  readonly id: string;
  readonly subject: string;
  readonly type: string;
  readonly data: unknown;
  readonly occurredAt: Date;
  /** The module's subscribers that handled it, which are all that it has; none where the module published it or only reads it. */
  readonly handledBy: readonly string[];
}

/**
 * Compares rows of a module with events: the effect of a handled event must be visible. A check receives only events whose
 * deliveries to the module are all done, so a pending or dead delivery is no mismatch.
 */
export interface EventCheck extends Check {
  readonly events: readonly EventContract[];
  findMismatches(events: readonly HandledEvent[]): Promise<readonly Finding[]>;
}

/**
 * The reconciliation checks of a module: a provider class, listed under `checks` in the module's declaration. They read
 * rows of their own module only; agreement with other modules is checked by means of events.
 */
export interface ModuleChecks {
  readonly rowChecks?: readonly RowCheck[];
  readonly eventChecks?: readonly EventCheck[];
}

declare module '../backbone/business-module.js' {
  interface ModuleExtensions {
    /** Reconciliation checks. */
    readonly checks?: readonly Type<ModuleChecks>[];
  }
}
