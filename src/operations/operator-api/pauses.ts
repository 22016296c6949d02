import { Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { queryRows } from '../../common/database/query-rows.js';
import { Audit } from '../audit/audit.js';

/** Since when, and why, a subscriber is paused. */
export interface Pause {
  readonly subscriber: string;
  readonly since: Date;
  readonly reason: string;
}

const PAUSE = `
  INSERT INTO backbone.paused_subscriber (subscriber, reason) VALUES ($1, $2)
  ON CONFLICT DO NOTHING RETURNING since`;

const RESUME = 'DELETE FROM backbone.paused_subscriber WHERE subscriber = $1 RETURNING since, reason';

/**
 * The claims of the jobs that ran during the pause were refused, and the relay would find their deliveries overdue only
 * some seconds later. Deliveries that are due in more than 15 seconds wait for a retry and keep their due time. Locked
 * rows are skipped: the transaction that locks them is handling or changing them.
 */
const MAKE_DUE = `
  UPDATE backbone.delivery d SET due_at = clock_timestamp()
    FROM (SELECT event_id FROM backbone.delivery
           WHERE state = 'pending' AND subscriber = $1 AND lease_until IS NULL
             AND due_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '15 seconds'
           FOR UPDATE SKIP LOCKED) soon
   WHERE d.event_id = soon.event_id AND d.subscriber = $1`;

/** Pauses subscribers: their deliveries wait in all processes, and no attempt is counted. */
@Injectable()
export class Pauses {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
  ) {}

  /** A running handler still finishes. A subscriber that is paused already keeps its first reason. */
  pause(subscriber: string, reason: string): Promise<void> {
    return this.database.transaction('backbone', async ({ manager }) => {
      const [paused] = await queryRows<{ since: Date }>(manager, PAUSE, [subscriber, reason]);
      if (!paused) return;
      const states = { before: { state: 'active' }, after: { state: 'paused', since: paused.since } };
      await this.audit.record(manager, { action: 'pause-subscription', target: { subscriber }, reason, ...states });
    });
  }

  /** The relays enqueue the waiting deliveries within a second. */
  resume(subscriber: string, reason: string): Promise<void> {
    return this.database.transaction('backbone', async ({ manager }) => {
      const [pause] = await queryRows<Omit<Pause, 'subscriber'>>(manager, RESUME, [subscriber]);
      if (!pause) return;
      await manager.query(MAKE_DUE, [subscriber]);
      const states = { before: { state: 'paused', ...pause }, after: { state: 'active' } };
      await this.audit.record(manager, { action: 'resume-subscription', target: { subscriber }, reason, ...states });
    });
  }

  async all(): Promise<ReadonlyMap<string, Pause>> {
    const pauses = await this.database.query<Pause>('SELECT subscriber, since, reason FROM backbone.paused_subscriber');
    return new Map(pauses.map((pause) => [pause.subscriber, pause]));
  }
}
