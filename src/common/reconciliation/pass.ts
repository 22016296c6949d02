import { setTimeout as pause } from 'node:timers/promises';
import { deliveryId } from '../events/delivery.js';
import type { Disagreement, EventCheck, RowCheck } from './checks.js';
import type { HeardEvent, HeardEvents, LoggedEvent } from './heard-events.js';
import type { Report } from './reports.js';

const KEYS_PER_BATCH = 200;
/** More findings of one check nobody reads one by one. */
const FINDINGS_MAX = 1_000;

/** What a pass needs besides what it looks at. */
export interface Terms {
  /** What is younger is not looked at, and what disagrees is looked at again after so long. */
  readonly graceSeconds: number;
  /** Called before every batch. @throws {Error} when it should be the last */
  mayGoOn(): Promise<void>;
  readonly signal: AbortSignal;
}

interface Tally {
  lookedAt: number;
  readonly suspects: Disagreement[];
}

/**
 * Looks at everything once, and at what disagrees once more. Two statements see two moments, so what has changed
 * between them is believed only when it still disagrees after the grace.
 */
export class Pass {
  private readonly tallies = new Map<string, Tally>();

  constructor(
    private readonly checks: readonly (RowCheck | EventCheck)[],
    private readonly heard: HeardEvents,
    private readonly terms: Terms,
  ) {}

  async make(): Promise<Pick<Report, 'check' | 'lookedAt' | 'findings'>[]> {
    for (const check of this.checks) this.tallies.set(check.name, { lookedAt: 0, suspects: [] });
    for (const check of this.checks) if (!isOnEvents(check)) await this.lookAtRows(check);
    await this.lookAtEvents(this.checks.filter(isOnEvents));
    const { graceSeconds, signal } = this.terms;
    if ([...this.tallies.values()].some(({ suspects }) => suspects.length > 0))
      await pause(graceSeconds * 1_000, undefined, { signal });
    const said = [];
    for (const check of this.checks) {
      const { lookedAt, suspects } = this.tallyOf(check);
      said.push({ check: check.name, lookedAt, findings: await this.confirmed(check, suspects) });
    }
    return said;
  }

  private async lookAtRows(check: RowCheck): Promise<void> {
    for (let last: string | undefined; ; ) {
      await this.terms.mayGoOn();
      const keys: readonly string[] = await check.keysAfter(last, KEYS_PER_BATCH);
      if (keys.length === 0) return;
      this.note(check, keys.length, await check.look(keys));
      last = keys.at(-1);
    }
  }

  /** Reads the log once for all. */
  private async lookAtEvents(checks: readonly EventCheck[]): Promise<void> {
    for (let position = 0; checks.length > 0; ) {
      await this.terms.mayGoOn();
      const events: readonly LoggedEvent[] = await this.heard.after(position, this.terms.graceSeconds);
      if (events.length === 0) return;
      for (const check of checks) {
        const concerned = concerning(check, events, this.heard);
        if (concerned.length > 0) this.note(check, concerned.length, await check.look(concerned));
      }
      position = events.at(-1)?.position ?? position;
    }
  }

  private note(check: RowCheck | EventCheck, lookedAt: number, suspects: readonly Disagreement[]): void {
    const tally = this.tallyOf(check);
    tally.lookedAt += lookedAt;
    tally.suspects.push(...suspects.slice(0, FINDINGS_MAX - tally.suspects.length));
  }

  private async confirmed(check: RowCheck | EventCheck, suspects: readonly Disagreement[]): Promise<Disagreement[]> {
    const names = new Set(suspects.map(nameOf));
    const confirmed: Disagreement[] = [];
    for (let from = 0; from < suspects.length; from += KEYS_PER_BATCH) {
      await this.terms.mayGoOn();
      const keys = suspects.slice(from, from + KEYS_PER_BATCH).map(({ key }) => key);
      confirmed.push(...(await lookAgain(check, keys, this.heard)).filter((each) => names.delete(nameOf(each))));
    }
    return confirmed;
  }

  private tallyOf({ name }: RowCheck | EventCheck): Tally {
    const tally = this.tallies.get(name);
    if (!tally) throw new Error(`${name} is no check of this pass`);
    return tally;
  }
}

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

function isOnEvents(check: RowCheck | EventCheck): check is EventCheck {
  return 'events' in check;
}

function concerning(check: EventCheck, events: readonly LoggedEvent[], heard: HeardEvents): HeardEvent[] {
  const types = new Set(check.events.map(({ type }) => type));
  const [module = ''] = check.name.split('.');
  const concerned = events.filter(({ type }) => types.has(type));
  return heard.heardIn(module, concerned);
}
