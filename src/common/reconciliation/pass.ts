import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { storable } from '../events/storable-text.js';
import { isError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import type { Disagreement, EventCheck, RowCheck } from './checks.js';
import type { HeardEvents, LoggedEvent } from './heard-events.js';
import { concerning, isAbout, isOnEvents, lookAgain, moduleOf, nameOf } from './looks.js';
import type { Said } from './reports.js';
import { NOTHING_SETTLED, Progress, type Settled } from './settled.js';

const KEYS_PER_BATCH = 200;
/** More findings of one check nobody reads one by one. */
const FINDINGS_MAX = 1_000;
/** What is wrong with a check is wrong in many passes. */
const SAY_EVERY_MS = 3_600_000;

/** What a pass needs besides what it looks at. */
export interface Terms {
  /** What is younger is not looked at, and what disagrees is looked at again after so long. */
  readonly graceSeconds: number;
  /** Called before every batch. @throws {Error} when it should be the last */
  mayGoOn(): Promise<void>;
  /** So often it is called at least while nothing is looked at. */
  readonly breathMs: number;
  readonly signal: AbortSignal;
  /** Up to where checks need not look at the log again. */
  readonly settled: ReadonlyMap<string, Settled>;
}

interface Tally {
  lookedAt: number;
  error: string | null;
  readonly suspects: Disagreement[];
}

/**
 * Looks at all rows and at what is not settled of the log once, and at what disagrees once more. Two statements see two moments, so what has changed
 * between them is believed only when it still disagrees after the grace. A check that fails says so instead of what it
 * has found, and the others are made all the same.
 */
export class Pass {
  private readonly logger = new Logger('Reconciliation');
  private readonly tallies = new Map<string, Tally>();
  private readonly progress = new Map<string, Progress>();

  constructor(
    private readonly checks: readonly (RowCheck | EventCheck)[],
    private readonly heard: HeardEvents,
    private readonly terms: Terms,
  ) {}

  async make(): Promise<Said[]> {
    for (const check of this.checks) this.tallies.set(check.name, { lookedAt: 0, error: null, suspects: [] });
    for (const check of this.checks) if (!isOnEvents(check)) await this.lookAtRows(check);
    await this.lookAtEvents(this.checks.filter(isOnEvents));
    if ([...this.tallies.values()].some(({ suspects }) => suspects.length > 0)) await this.grace();
    const said = [];
    for (const check of this.checks) {
      const tally = this.tallyOf(check);
      const findings = await this.confirmed(check, tally.suspects);
      const settled = isOnEvents(check) ? this.settled(check, findings) : null;
      said.push({ check: check.name, lookedAt: tally.lookedAt, error: tally.error, findings, settled });
    }
    return said;
  }

  private async grace(): Promise<void> {
    const { graceSeconds, breathMs, signal } = this.terms;
    for (let leftMs = graceSeconds * 1_000; leftMs > 0; leftMs -= breathMs) {
      await pause(Math.min(leftMs, breathMs), undefined, { signal });
      await this.terms.mayGoOn();
    }
  }

  private async lookAtRows(check: RowCheck): Promise<void> {
    for (let last: string | undefined; ; ) {
      await this.terms.mayGoOn();
      const keys = await this.ask<string>(check, () => check.keysAfter(last, KEYS_PER_BATCH));
      if (keys.length === 0) return;
      this.note(check, keys.length, await this.ask(check, () => check.look(keys)));
      last = keys.at(-1);
    }
  }

  /** Reads the log once for all, from where the first of them has something to look at. */
  private async lookAtEvents(checks: readonly EventCheck[]): Promise<void> {
    for (const check of checks) await this.lookAtOpen(check);
    for (let position = Math.min(...checks.map((check) => this.progressOf(check).from.position)); checks.length > 0; ) {
      await this.terms.mayGoOn();
      const events: readonly LoggedEvent[] = await this.heard.after(position, this.terms.graceSeconds);
      if (events.length === 0) return;
      for (const check of checks) {
        const { from } = this.progressOf(check);
        await this.lookAt(
          check,
          events.filter((event) => event.position > from.position),
        );
      }
      position = events.at(-1)?.position ?? position;
    }
  }

  private async lookAtOpen(check: EventCheck): Promise<void> {
    const { open, since } = this.progressOf(check).from;
    for (const [name, position] of Object.entries(since)) this.heard.learn(name, position);
    if (open.length === 0) return;
    await this.terms.mayGoOn();
    await this.lookAt(check, await this.heard.again(open));
  }

  private async lookAt(check: EventCheck, events: readonly LoggedEvent[]): Promise<void> {
    const progress = this.progressOf(check);
    const concerned = concerning(check, events, this.heard);
    if (concerned.length > 0) this.note(check, concerned.length, await this.ask(check, () => check.look(concerned)));
    for (const event of events) {
      if (isAbout(check, event) && this.heard.isOpenIn(moduleOf(check), event)) progress.keep(event.id);
      if (event.position > progress.from.position) progress.pass(event);
    }
  }

  /** What was not looked at, because there is too much of it, is left for the next pass. */
  private settled(check: EventCheck, findings: readonly Disagreement[]): Settled {
    const progress = this.progressOf(check);
    if (this.tallyOf(check).suspects.length >= FINDINGS_MAX) return progress.from;
    for (const { key } of findings) progress.keep(key);
    return progress.settled(this.heard.since);
  }

  /** Nothing is asked of a check that has failed. */
  private async ask<Answer>(
    check: RowCheck | EventCheck,
    work: () => Promise<readonly Answer[]> | readonly Answer[],
  ): Promise<readonly Answer[]> {
    const tally = this.tallyOf(check);
    if (tally.error !== null) return [];
    try {
      return await work();
    } catch (error) {
      this.terms.signal.throwIfAborted();
      tally.error = storable(isError(error) ? error.message : error);
      logSparingly(`reconciliation ${check.name} ${tally.error}`, SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('A check failed; the others are made', { check: check.name, err: error, suppressed }),
      );
      return [];
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
      const seen = await this.ask(check, () => lookAgain(check, keys, this.heard));
      confirmed.push(...seen.filter((each) => names.delete(nameOf(each))));
    }
    return confirmed;
  }

  private progressOf({ name }: EventCheck): Progress {
    const progress = this.progress.get(name) ?? new Progress(this.terms.settled.get(name) ?? NOTHING_SETTLED);
    this.progress.set(name, progress);
    return progress;
  }

  private tallyOf({ name }: RowCheck | EventCheck): Tally {
    const tally = this.tallies.get(name);
    if (!tally) throw new Error(`${name} is no check of this pass`);
    return tally;
  }
}
