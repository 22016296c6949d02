import { Gauge, Registry } from 'prom-client';
import type { Subscriptions } from '../events/subscriptions.js';
import type { Backlog, Findings } from './backlog.js';

/** What the database told at once. */
export interface State {
  readonly paused: readonly string[];
  readonly findings: readonly Findings[];
}

/** What it had counted, and when: milliseconds since 1970. */
export interface Counts {
  readonly backlogs: readonly Backlog[];
  readonly at: Date;
}

/** What the rows say. Every process tells the same, so whoever adds up takes the largest and not the sum. */
export class StoredGauges {
  readonly registry = new Registry();
  private readonly registers = [this.registry];
  private readonly isUp = new Gauge({
    name: 'orderly_database_up',
    help: 'Whether PostgreSQL answered this scrape in time; where it is 0, what its rows would tell is missing.',
    registers: this.registers,
  });
  private readonly waiting = new Gauge({
    name: 'orderly_deliveries',
    help: 'Deliveries that are pending or dead, up to 100,001 of each subscriber.',
    labelNames: ['subscriber', 'state'],
    registers: this.registers,
  });
  private readonly oldest = new Gauge({
    name: 'orderly_delivery_oldest_pending_seconds',
    help: 'Since the oldest event happened that the subscriber has still to hear, pauses between attempts included.',
    labelNames: ['subscriber'],
    registers: this.registers,
  });
  private readonly overdue = new Gauge({
    name: 'orderly_delivery_overdue_seconds',
    help: 'Since the oldest event happened that is next for the subscriber and that no process has ever begun to handle.',
    labelNames: ['subscriber'],
    registers: this.registers,
  });
  private readonly countedAt = new Gauge({
    name: 'orderly_deliveries_counted_timestamp_seconds',
    help: 'When the deliveries that wait were counted last.',
    registers: this.registers,
  });
  private readonly paused = new Gauge({
    name: 'orderly_subscriber_paused',
    help: 'Whether an operator has paused the subscriber.',
    labelNames: ['subscriber'],
    registers: this.registers,
  });
  private readonly findings = new Gauge({
    name: 'orderly_reconciliation_findings',
    help: 'What did not agree when it was looked at last.',
    labelNames: ['check'],
    registers: this.registers,
  });
  private readonly failed = new Gauge({
    name: 'orderly_reconciliation_failed',
    help: 'Whether a check could not be made the last time.',
    labelNames: ['check'],
    registers: this.registers,
  });
  private readonly reconciledAt = new Gauge({
    name: 'orderly_reconciliation_last_run_timestamp_seconds',
    help: 'When a check was made last.',
    labelNames: ['check'],
    registers: this.registers,
  });

  constructor(private readonly subscriptions: Subscriptions) {}

  /** @param state undefined when the database did not tell: then there is nothing to be said, rather than zero */
  set(state: State | undefined, counts: Counts | undefined): void {
    const { waiting, oldest, overdue, countedAt, paused, findings, failed, reconciledAt } = this;
    for (const gauge of [waiting, oldest, overdue, paused, findings, failed, reconciledAt]) gauge.reset();
    this.isUp.set(state ? 1 : 0);
    if (!state) return;
    countedAt.set((counts?.at.getTime() ?? 0) / 1_000);
    for (const { name } of this.subscriptions.all) paused.set({ subscriber: name }, 0);
    for (const subscriber of state.paused) paused.set({ subscriber }, 1);
    for (const backlog of counts?.backlogs ?? []) this.setOne(backlog, state.paused.includes(backlog.subscriber));
    for (const { check, found, hasFailed, finishedAt } of state.findings) {
      findings.set({ check }, found);
      failed.set({ check }, hasFailed ? 1 : 0);
      reconciledAt.set({ check }, finishedAt ?? 0);
    }
  }

  private setOne({ subscriber, pending, dead, oldestSeconds, overdueSeconds }: Backlog, isPaused: boolean): void {
    this.waiting.set({ subscriber, state: 'pending' }, pending);
    this.waiting.set({ subscriber, state: 'dead' }, dead);
    this.oldest.set({ subscriber }, Math.max(0, oldestSeconds ?? 0));
    this.overdue.set({ subscriber }, isPaused ? 0 : Math.max(0, overdueSeconds ?? 0));
  }
}
