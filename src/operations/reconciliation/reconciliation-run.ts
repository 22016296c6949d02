import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { storableText } from '../../common/errors/failure.js';
import { isError } from '../../common/logging/describe-error.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import type { EventCheck, Finding, RowCheck } from '../checks.js';
import { type Checkpoint, Progress, START_CHECKPOINT } from './checkpoint.js';
import type { HandledEvents, LoggedEvent } from './handled-events.js';
import { concerning, findingKey, isAbout, isOnEvents, moduleOf, recheck } from './recheck.js';
import type { CheckResult } from './reports.js';

const KEYS_PER_BATCH = 200;
/** More findings of one check nobody reads one by one. */
const FINDINGS_MAX = 1_000;

/** What a pass needs besides what it looks at. */
export interface RunOptions {
  /** What is younger is not looked at, and what disagrees is looked at again after so long. */
  readonly graceSeconds: number;
  /** Called before every batch. @throws {Error} when it should be the last */
  keepLease(): Promise<void>;
  /** So often it is called at least while nothing is looked at. */
  readonly breathMs: number;
  readonly signal: AbortSignal;
  /** Up to where checks need not look at the log again. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
}

interface Tally {
  lookedAt: number;
  error: string | null;
  readonly suspects: Finding[];
}

/**
 * Looks at all rows and at what is not settled of the log once, and at what disagrees once more. Two statements see two moments, so what has changed
 * between them is believed only when it still disagrees after the grace. A check that fails says so instead of what it
 * has found, and the others are made all the same.
 */
export class ReconciliationRun {
  private readonly logger = new Logger('Reconciliation');
  private readonly tallies = new Map<string, Tally>();
  private readonly progress = new Map<string, Progress>();

  constructor(
    private readonly checks: readonly (RowCheck | EventCheck)[],
    private readonly heard: HandledEvents,
    private readonly terms: RunOptions,
  ) {}

  async make(): Promise<CheckResult[]> {
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
      await this.terms.keepLease();
    }
  }

  private async lookAtRows(check: RowCheck): Promise<void> {
    for (let last: string | undefined; ; ) {
      await this.terms.keepLease();
      const keys = await this.ask<string>(check, () => check.keysAfter(last, KEYS_PER_BATCH));
      if (keys.length === 0) return;
      this.note(check, keys.length, await this.ask(check, () => check.findMismatches(keys)));
      last = keys.at(-1);
    }
  }

  /** Reads the log once for all, from where the first of them has something to look at. */
  private async lookAtEvents(checks: readonly EventCheck[]): Promise<void> {
    for (const check of checks) await this.lookAtOpen(check);
    for (let position = Math.min(...checks.map((check) => this.progressOf(check).from.position)); checks.length > 0; ) {
      await this.terms.keepLease();
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
    await this.terms.keepLease();
    await this.lookAt(check, await this.heard.again(open));
  }

  private async lookAt(check: EventCheck, events: readonly LoggedEvent[]): Promise<void> {
    const progress = this.progressOf(check);
    const concerned = concerning(check, events, this.heard);
    if (concerned.length > 0)
      this.note(check, concerned.length, await this.ask(check, () => check.findMismatches(concerned)));
    for (const event of events) {
      if (isAbout(check, event) && this.heard.isOpenIn(moduleOf(check), event)) progress.keep(event.id);
      if (event.position > progress.from.position) progress.pass(event);
    }
  }

  /** What was not looked at, because there is too much of it, is left for the next pass. */
  private settled(check: EventCheck, findings: readonly Finding[]): Checkpoint {
    const progress = this.progressOf(check);
    if (this.tallyOf(check).suspects.length >= FINDINGS_MAX) return progress.from;
    for (const { key } of findings) progress.keep(key);
    return progress.settled(this.heard.firstPositions);
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
      tally.error = storableText(isError(error) ? error.message : error);
      const message = 'A reconciliation check failed; the other checks go on';
      logOccasionally(this.logger, 'warn', { message, key: `check ${check.name}`, check: check.name, err: error });
      return [];
    }
  }

  private note(check: RowCheck | EventCheck, lookedAt: number, suspects: readonly Finding[]): void {
    const tally = this.tallyOf(check);
    tally.lookedAt += lookedAt;
    tally.suspects.push(...suspects.slice(0, FINDINGS_MAX - tally.suspects.length));
  }

  private async confirmed(check: RowCheck | EventCheck, suspects: readonly Finding[]): Promise<Finding[]> {
    const names = new Set(suspects.map(findingKey));
    const confirmed: Finding[] = [];
    for (let from = 0; from < suspects.length; from += KEYS_PER_BATCH) {
      await this.terms.keepLease();
      const keys = suspects.slice(from, from + KEYS_PER_BATCH).map(({ key }) => key);
      const seen = await this.ask(check, () => recheck(check, keys, this.heard));
      confirmed.push(...seen.filter((each) => names.delete(findingKey(each))));
    }
    return confirmed;
  }

  private progressOf({ name }: EventCheck): Progress {
    const progress = this.progress.get(name) ?? new Progress(this.terms.checkpoints.get(name) ?? START_CHECKPOINT);
    this.progress.set(name, progress);
    return progress;
  }

  private tallyOf({ name }: RowCheck | EventCheck): Tally {
    const tally = this.tallies.get(name);
    if (!tally) throw new Error(`${name} is no check of this pass`);
    return tally;
  }
}
