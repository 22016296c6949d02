import { Gauge, Registry } from 'prom-client';
import type { Subscriptions } from '../events/subscriptions.js';
import type { Backlog } from './backlog.js';

const NOTHING = { pending: 0, dead: 0, isPaused: false, oldestSeconds: null, overdueSeconds: null };

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

  constructor(private readonly subscriptions: Subscriptions) {}

  /** @param backlogs undefined when the database did not tell: then there is nothing to be said, rather than zero */
  set(backlogs: readonly Backlog[] | undefined): void {
    for (const gauge of [this.waiting, this.oldest, this.overdue, this.paused]) gauge.reset();
    this.isUp.set(backlogs ? 1 : 0);
    if (!backlogs) return;
    for (const { name } of this.subscriptions.all) this.setOne({ ...NOTHING, subscriber: name });
    for (const backlog of backlogs) this.setOne(backlog);
  }

  private setOne({ subscriber, pending, dead, isPaused, oldestSeconds, overdueSeconds }: Backlog): void {
    this.waiting.set({ subscriber, state: 'pending' }, pending);
    this.waiting.set({ subscriber, state: 'dead' }, dead);
    this.oldest.set({ subscriber }, Math.max(0, oldestSeconds ?? 0));
    this.overdue.set({ subscriber }, isPaused ? 0 : Math.max(0, overdueSeconds ?? 0));
    this.paused.set({ subscriber }, isPaused ? 1 : 0);
  }
}
