import { deliveryId } from '../events/delivery.js';
import type { Disagreement, EventCheck, RowCheck } from './checks.js';
import type { HeardEvent, HeardEvents, LoggedEvent } from './heard-events.js';

/** What of these rows or events disagrees by now. */
export async function lookAgain(
  check: RowCheck | EventCheck,
  keys: readonly string[],
  heard: HeardEvents,
): Promise<readonly Disagreement[]> {
  const distinct = [...new Set(keys)];
  return isOnEvents(check) ? check.look(concerning(check, await heard.again(distinct), heard)) : check.look(distinct);
}

/** Tells disagreements apart; what is expected and found may change while they last. */
export function nameOf({ key, subject, delivery }: Disagreement): string {
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
export function concerning(check: EventCheck, events: readonly LoggedEvent[], heard: HeardEvents): HeardEvent[] {
  return heard.heardIn(
    moduleOf(check),
    events.filter((event) => isAbout(check, event)),
  );
}
