import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { storableText } from '../../common/errors/failure.js';
import { isError } from '../../common/logging/describe-error.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import type { EventCheck, Finding, RowCheck } from '../checks.js';
import { checkableEvents, findingKey, isEventCheck, isSubscribedTo, moduleOf, recheck } from './check-registry.js';
import { type Checkpoint, Progress, START_CHECKPOINT } from './checkpoint.js';
import type { HandledEvents, LoggedEvent } from './handled-events.js';
import type { CheckResult } from './reports.js';

const KEYS_PER_BATCH = 200;
/** Bounds memory and the stored report of one check. */
const FINDINGS_MAX = 1_000;

export interface RunOptions {
  /** Younger events are skipped, and mismatches are checked again after this time. */
  readonly graceSeconds: number;
  /** Called before every batch. @throws {Error} when the run must end */
  keepLease(): Promise<void>;
  /** It is called at least this often during the grace period. */
  readonly keepLeaseEveryMs: number;
  readonly signal: AbortSignal;
  /** The position in the log from which each check continues. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
}

/** The result of one check so far. */
interface Tally {
  /** Number of rows or events. */
  checked: number;
  error: string | null;
  /** Mismatches that were seen once. */
  readonly suspects: Finding[];
}

/**
 * Checks all rows, and the log from the checkpoints on, and then checks each mismatch a second time. Two statements
 * read two snapshots, so a change between them looks like a mismatch; only one that still exists after the grace period
 * is reported. A check that fails reports its error instead of findings, and the other checks continue.
 */
export class ReconciliationRun {
  private readonly logger = new Logger('Reconciliation');
  private readonly tallies = new Map<string, Tally>();
  private readonly progress = new Map<string, Progress>();

  constructor(
    private readonly checks: readonly (RowCheck | EventCheck)[],
    private readonly handledEvents: HandledEvents,
    private readonly options: RunOptions,
  ) {}

  async run(): Promise<CheckResult[]> {
    for (const check of this.checks) this.tallies.set(check.name, { checked: 0, error: null, suspects: [] });
    for (const check of this.checks) if (!isEventCheck(check)) await this.checkRows(check);
    await this.checkLog(this.checks.filter(isEventCheck));
    if ([...this.tallies.values()].some(({ suspects }) => suspects.length > 0)) await this.waitGracePeriod();
    const results = [];
    for (const check of this.checks) {
      const tally = this.tallyOf(check);
      const findings = await this.confirm(check, tally.suspects);
      const checkpoint = isEventCheck(check) ? this.checkpointOf(check, findings) : null;
      results.push({ check: check.name, lookedAt: tally.checked, error: tally.error, findings, checkpoint });
    }
    return results;
  }

  private async waitGracePeriod(): Promise<void> {
    const { graceSeconds, keepLeaseEveryMs, signal } = this.options;
    for (let leftMs = graceSeconds * 1_000; leftMs > 0; leftMs -= keepLeaseEveryMs) {
      await pause(Math.min(leftMs, keepLeaseEveryMs), undefined, { signal });
      await this.options.keepLease();
    }
  }

  private async checkRows(check: RowCheck): Promise<void> {
    for (let last: string | undefined; ; ) {
      await this.options.keepLease();
      const keys = await this.runCheck<string>(check, () => check.keysAfter(last, KEYS_PER_BATCH));
      if (keys.length === 0) return;
      this.addSuspects(check, keys.length, await this.runCheck(check, () => check.findMismatches(keys)));
      last = keys.at(-1);
    }
  }

  /** Reads the log once for all checks, from the earliest of their checkpoints. */
  private async checkLog(checks: readonly EventCheck[]): Promise<void> {
    for (const check of checks) await this.checkOpenEvents(check);
    for (let position = Math.min(...checks.map((check) => this.progressOf(check).from.position)); checks.length > 0; ) {
      await this.options.keepLease();
      const events: readonly LoggedEvent[] = await this.handledEvents.readAfter(position, this.options.graceSeconds);
      if (events.length === 0) return;
      for (const check of checks) {
        const { from } = this.progressOf(check);
        await this.checkEvents(
          check,
          events.filter((event) => event.position > from.position),
        );
      }
      position = events.at(-1)?.position ?? position;
    }
  }

  private async checkOpenEvents(check: EventCheck): Promise<void> {
    const { open, since } = this.progressOf(check).from;
    for (const [name, position] of Object.entries(since)) this.handledEvents.noteFirstPosition(name, position);
    if (open.length === 0) return;
    await this.options.keepLease();
    await this.checkEvents(check, await this.handledEvents.byIds(open));
  }

  private async checkEvents(check: EventCheck, events: readonly LoggedEvent[]): Promise<void> {
    const progress = this.progressOf(check);
    const checkable = checkableEvents(check, events, this.handledEvents);
    if (checkable.length > 0)
      this.addSuspects(check, checkable.length, await this.runCheck(check, () => check.findMismatches(checkable)));
    for (const event of events) {
      if (isSubscribedTo(check, event) && this.handledEvents.isUnfinishedIn(moduleOf(check), event))
        progress.keepOpen(event.id);
      if (event.position > progress.from.position) progress.advance(event);
    }
  }

  /** Does not advance when there were too many findings, so that the next run reads those events again. */
  private checkpointOf(check: EventCheck, findings: readonly Finding[]): Checkpoint {
    const progress = this.progressOf(check);
    if (this.tallyOf(check).suspects.length >= FINDINGS_MAX) return progress.from;
    for (const { key } of findings) progress.keepOpen(key);
    return progress.checkpoint(this.handledEvents.firstPositions);
  }

  /** Returns nothing once the check has failed. */
  private async runCheck<Result>(
    check: RowCheck | EventCheck,
    work: () => Promise<readonly Result[]> | readonly Result[],
  ): Promise<readonly Result[]> {
    const tally = this.tallyOf(check);
    if (tally.error !== null) return [];
    try {
      return await work();
    } catch (error) {
      this.options.signal.throwIfAborted();
      tally.error = storableText(isError(error) ? error.message : error);
      const message = 'A reconciliation check failed; the other checks continue';
      logOccasionally(this.logger, 'warn', { message, key: `check ${check.name}`, check: check.name, err: error });
      return [];
    }
  }

  private addSuspects(check: RowCheck | EventCheck, checked: number, suspects: readonly Finding[]): void {
    const tally = this.tallyOf(check);
    tally.checked += checked;
    tally.suspects.push(...suspects.slice(0, FINDINGS_MAX - tally.suspects.length));
  }

  private async confirm(check: RowCheck | EventCheck, suspects: readonly Finding[]): Promise<Finding[]> {
    const unconfirmed = new Set(suspects.map(findingKey));
    const confirmed: Finding[] = [];
    for (let from = 0; from < suspects.length; from += KEYS_PER_BATCH) {
      await this.options.keepLease();
      const keys = suspects.slice(from, from + KEYS_PER_BATCH).map(({ key }) => key);
      const present = await this.runCheck(check, () => recheck(check, keys, this.handledEvents));
      confirmed.push(...present.filter((each) => unconfirmed.delete(findingKey(each))));
    }
    return confirmed;
  }

  private progressOf({ name }: EventCheck): Progress {
    const progress = this.progress.get(name) ?? new Progress(this.options.checkpoints.get(name) ?? START_CHECKPOINT);
    this.progress.set(name, progress);
    return progress;
  }

  private tallyOf({ name }: RowCheck | EventCheck): Tally {
    const tally = this.tallies.get(name);
    if (!tally) throw new Error(`${name} is no check of this run`);
    return tally;
  }
}
