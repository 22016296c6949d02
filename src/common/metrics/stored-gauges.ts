import { Gauge, Registry } from 'prom-client';
import type { Subscriptions } from '../events/subscriptions.js';
import type { Backlog, Findings } from './backlog.js';

const NOTHING = { pending: 0, dead: 0, isPaused: false, oldestSeconds: null, overdueSeconds: null };

/** What the database told. */
export interface Stored {
  readonly backlogs: readonly Backlog[];
  readonly findings: readonly Findings[];
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
    help: 'Deliveries that are pending or dead.',
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
    help: 'How long a delivery has been due without being taken up by any process.',
    labelNames: ['subscriber'],
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

  /** @param stored undefined when the database did not tell: then there is nothing to be said, rather than zero */
  set(stored: Stored | undefined): void {
    const { waiting, oldest, overdue, paused, findings, failed, reconciledAt } = this;
    for (const gauge of [waiting, oldest, overdue, paused, findings, failed, reconciledAt]) gauge.reset();
    this.isUp.set(stored ? 1 : 0);
    if (!stored) return;
    for (const { name } of this.subscriptions.all) this.setOne({ ...NOTHING, subscriber: name });
    for (const backlog of stored.backlogs) this.setOne(backlog);
    for (const { check, found, hasFailed, finishedAt } of stored.findings) {
      findings.set({ check }, found);
      failed.set({ check }, hasFailed ? 1 : 0);
      reconciledAt.set({ check }, finishedAt ?? 0);
    }
  }

  private setOne({ subscriber, pending, dead, isPaused, oldestSeconds, overdueSeconds }: Backlog): void {
    this.waiting.set({ subscriber, state: 'pending' }, pending);
    this.waiting.set({ subscriber, state: 'dead' }, dead);
    this.oldest.set({ subscriber }, Math.max(0, oldestSeconds ?? 0));
    this.overdue.set({ subscriber }, isPaused ? 0 : Math.max(0, overdueSeconds ?? 0));
    this.paused.set({ subscriber }, isPaused ? 1 : 0);
  }
}
