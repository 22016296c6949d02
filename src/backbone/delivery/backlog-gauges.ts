import type { EntityManager } from 'typeorm';
import { defineGauge } from '../../common/metrics/metrics-registry.js';
import { DatabaseGauges } from '../../common/monitoring/database-gauges.js';
import { type Backlog, readBacklog, readPausedSubscribers } from './backlog.js';

/** Which subscribers an operator has paused. */
export class PauseGauges extends DatabaseGauges {
  private readonly paused = defineGauge(
    {
      name: 'orderly_subscriber_paused',
      help: 'Whether an operator has paused the subscriber.',
      labelNames: ['subscriber'],
    },
    this.registry,
  );

  private names: ReadonlySet<string> = new Set();

  constructor(private readonly subscribers: readonly string[]) {
    super();
  }

  /** By the latest read. */
  isPaused(subscriber: string): boolean {
    return this.names.has(subscriber);
  }

  override async read(manager: EntityManager): Promise<() => void> {
    this.names = new Set(await readPausedSubscribers(manager));
    return () => {
      for (const subscriber of this.subscribers) this.paused.set({ subscriber }, this.isPaused(subscriber) ? 1 : 0);
    };
  }
}

/** The deliveries that wait, by subscriber. */
export class BacklogGauges extends DatabaseGauges {
  override readonly isSlow = true;
  private readonly deliveries = defineGauge(
    {
      name: 'orderly_deliveries',
      help: 'Deliveries that are pending, up to 100,001 of each subscriber, or dead.',
      labelNames: ['subscriber', 'state'],
    },
    this.registry,
  );
  private readonly oldest = defineGauge(
    {
      name: 'orderly_delivery_oldest_pending_seconds',
      help: 'Age of the oldest event with a pending delivery, pauses between attempts included.',
      labelNames: ['subscriber'],
    },
    this.registry,
  );
  private readonly overdue = defineGauge(
    {
      name: 'orderly_delivery_overdue_seconds',
      help: 'Age of the oldest event whose delivery is next in its partition and was never claimed; 0 while paused.',
      labelNames: ['subscriber'],
    },
    this.registry,
  );
  private readonly countedAt = defineGauge(
    {
      name: 'orderly_deliveries_counted_timestamp_seconds',
      help: 'Time of the last count of pending and dead deliveries, in seconds since 1970.',
    },
    this.registry,
  );

  /** @param pauses read more often than the backlog, so that a pause silences the overdue age at once */
  constructor(
    private readonly subscribers: readonly string[],
    private readonly pauses: PauseGauges,
  ) {
    super();
  }

  override async read(manager: EntityManager): Promise<() => void> {
    const backlogs = await readBacklog(this.subscribers, manager);
    const countedAt = new Date().getTime() / 1_000;
    return () => {
      for (const each of backlogs) this.setOne(each, this.pauses.isPaused(each.subscriber));
      this.countedAt.set(countedAt);
    };
  }

  /** The time of the last count stays: it tells how old the counts are that are missing. */
  override reset(): void {
    for (const gauge of [this.deliveries, this.oldest, this.overdue]) gauge.reset();
  }

  private setOne({ subscriber, pending, dead, oldestSeconds, overdueSeconds }: Backlog, isPaused: boolean): void {
    this.deliveries.set({ subscriber, state: 'pending' }, pending);
    this.deliveries.set({ subscriber, state: 'dead' }, dead);
    this.oldest.set({ subscriber }, Math.max(0, oldestSeconds ?? 0));
    this.overdue.set({ subscriber }, isPaused ? 0 : Math.max(0, overdueSeconds ?? 0));
  }
}
