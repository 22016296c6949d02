import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { deliveryId } from '../../backbone/delivery.js';
import type { EventCheck, Finding, HandledEvent, ModuleChecks, RowCheck } from '../checks.js';
import type { HandledEvents, LoggedEvent } from './handled-events.js';

/** Injects the classes that contribute checks in this process. */
export const CHECK_CLASSES = Symbol('check classes');

/** All reconciliation checks of this process. */
@Injectable()
export class CheckRegistry {
  private found: readonly (RowCheck | EventCheck)[] | undefined;

  constructor(
    private readonly moduleRef: ModuleRef,
    @Inject(CHECK_CLASSES) private readonly types: readonly Type<ModuleChecks>[],
  ) {}

  /** Checks on rows first. Available once all modules are instantiated. */
  get all(): readonly (RowCheck | EventCheck)[] {
    this.found ??= this.read();
    return this.found;
  }

  private read(): readonly (RowCheck | EventCheck)[] {
    const all = this.types.map((type) => this.moduleRef.get(type, { strict: false }));
    return [...all.flatMap(({ rowChecks }) => rowChecks ?? []), ...all.flatMap(({ eventChecks }) => eventChecks ?? [])];
  }
}

/** Checks these rows or events again, and returns the present mismatches. */
export async function recheck(
  check: RowCheck | EventCheck,
  keys: readonly string[],
  handledEvents: HandledEvents,
): Promise<readonly Finding[]> {
  const distinct = [...new Set(keys)];
  return isEventCheck(check)
    ? check.findMismatches(checkableEvents(check, await handledEvents.byIds(distinct), handledEvents))
    : check.findMismatches(distinct);
}

/**
 * Identifies a mismatch between two runs. `expected` and `found` are left out: they may change while the mismatch
 * lasts.
 */
export function findingKey({ key, subject, delivery }: Finding): string {
  return `${key} ${subject} ${delivery ? deliveryId(delivery) : ''}`;
}

export function isEventCheck(check: RowCheck | EventCheck): check is EventCheck {
  return 'events' in check;
}

export function isSubscribedTo(check: EventCheck, { type }: LoggedEvent): boolean {
  return check.events.some((contract) => contract.type === type);
}

/** The module whose handlers must all be done with an event before the check receives it. */
export function moduleOf({ name }: EventCheck): string {
  return name.slice(0, name.indexOf('.'));
}

/** The events that the check can receive: of its types, and handled by all subscribers of its module. */
export function checkableEvents(
  check: EventCheck,
  events: readonly LoggedEvent[],
  handledEvents: HandledEvents,
): (LoggedEvent & HandledEvent)[] {
  return handledEvents.handledIn(
    moduleOf(check),
    events.filter((event) => isSubscribedTo(check, event)),
  );
}
