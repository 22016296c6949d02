import { deliveryId } from '../../backbone/delivery.js';
import type { EventCheck, Finding, HandledEvent, RowCheck } from '../checks.js';
import type { HandledEvents, LoggedEvent } from './handled-events.js';

/** What of these rows or events disagrees by now. */
export async function recheck(
  check: RowCheck | EventCheck,
  keys: readonly string[],
  heard: HandledEvents,
): Promise<readonly Finding[]> {
  const distinct = [...new Set(keys)];
  return isOnEvents(check)
    ? check.findMismatches(concerning(check, await heard.again(distinct), heard))
    : check.findMismatches(distinct);
}

/** Tells disagreements apart; what is expected and found may change while they last. */
export function findingKey({ key, subject, delivery }: Finding): string {
  return `${key} ${subject} ${delivery ? deliveryId(delivery) : ''}`;
}

export function isOnEvents(check: RowCheck | EventCheck): check is EventCheck {
  return 'events' in check;
}

export function isAbout(check: EventCheck, { type }: LoggedEvent): boolean {
  return check.events.some((contract) => contract.type === type);
}

/** The module whose handlers have to be done with an event before it is asked about it. */
export function moduleOf({ name }: EventCheck): string {
  return name.slice(0, name.indexOf('.'));
}

/** Those of the events about which the check can be asked. */
export function concerning(check: EventCheck, events: readonly LoggedEvent[], heard: HandledEvents): HandledEvent[] {
  return heard.handledIn(
    moduleOf(check),
    events.filter((event) => isAbout(check, event)),
  );
}
