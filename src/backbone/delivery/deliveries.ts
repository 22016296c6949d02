import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { isDatabaseLost } from '../../common/database/database-errors.js';
import type { Sql } from '../../common/database/session.js';
import { errorFingerprint } from '../../common/errors/failure.js';
import { BACKBONE_SETTINGS, type BackboneSettings } from '../backbone.settings.js';
import type { DeliveryRef } from '../delivery.js';
import type { Subscription } from '../registry/subscriptions.js';
import { Batcher } from './batcher.js';
import { type Claim, type ClaimRequest, claimAll, finishAll, GRACE_MS } from './claims.js';
import { type EndedRow, nextDeliveries, SELECT_NEXT } from './next-in-partition.js';

/** How a failed attempt is stored. */
export interface Failure {
  readonly dead: boolean;
  /** False: the attempt does not count and leaves no error (RetryLater, or a process that stops). */
  readonly counted: boolean;
  /** Milliseconds until the next attempt. */
  readonly pauseMs: number;
  readonly name: string;
  readonly message: string;
}

/** The relay enqueues a delivery once more when it is still pending after this time, because its job may be lost. */
const REDISPATCH_AFTER_MS = 15_000;

const FAIL = `
  WITH ended AS (
    UPDATE backbone.delivery
       SET state = CASE WHEN $4 THEN 'dead' ELSE 'pending' END,
           attempts = CASE WHEN $5 THEN attempts ELSE attempts - 1 END,
           errors = CASE WHEN $5 THEN errors || jsonb_build_object(
             'attempt', attempts, 'at', clock_timestamp(), 'name', $7::text, 'message', $8::text) ELSE errors END,
           lease_until = NULL,
           due_at = clock_timestamp() + ($6::bigint + ${GRACE_MS}) * interval '1 millisecond',
           finished_at = CASE WHEN $4 THEN clock_timestamp() END,
           fingerprint = $10
     WHERE event_id = $1 AND subscriber = $2 AND claims = $3 AND state = 'pending'
    RETURNING order_key, position, $4 AND $9 AS frees_partition
  ) ${SELECT_NEXT}`;

/** With a limit for each subscriber, so that the backlog of one does not delay the others. */
const TAKE_OVERDUE = `
  UPDATE backbone.delivery d SET due_at = now() + ${REDISPATCH_AFTER_MS} * interval '1 millisecond'
    FROM (SELECT unnest($1::text[]) AS subscriber EXCEPT SELECT subscriber FROM backbone.paused_subscriber) wanted,
    LATERAL (
      SELECT event_id FROM backbone.delivery
       WHERE state = 'pending' AND subscriber = wanted.subscriber AND due_at < now()
         AND (lease_until IS NULL OR lease_until < now())
       ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) due
   WHERE d.event_id = due.event_id AND d.subscriber = wanted.subscriber
  RETURNING d.event_id AS "eventId", d.subscriber, d.claims`;

const MAKE_DUE = `
  UPDATE backbone.delivery SET due_at = clock_timestamp()
   WHERE event_id = $1 AND subscriber = $2 AND claims = $3 AND state = 'pending' AND lease_until IS NULL`;

/** Claims deliveries and stores how they end. All times are those of the database's clock. */
@Injectable()
export class Deliveries {
  private readonly claims: Batcher<ClaimRequest, Claim | undefined>;
  private readonly ends: Batcher<Claim, readonly DeliveryRef[] | undefined>;

  constructor(
    private readonly database: Database,
    @Inject(BACKBONE_SETTINGS) { queue }: Pick<BackboneSettings, 'queue'>,
  ) {
    this.claims = new Batcher((requests) => claimAll(requests, database.prepared), queue.concurrency);
    this.ends = new Batcher((claims) => finishAll(claims, database.prepared), queue.concurrency);
  }

  /**
   * Claims a delivery for the length of a lease. Undefined where the claim is refused: the delivery has ended, its
   * subscriber is paused, another process has claimed it, or an earlier delivery of its partition blocks it.
   */
  claim(ref: DeliveryRef, subscription: Subscription, leaseMs: number): Promise<Claim | undefined> {
    return this.claims.submit({ ref, subscription, leaseMs });
  }

  /** Marks a delivery done, and returns the next ones of its partition. Undefined: its claim number is not current. */
  async finish(claim: Claim): Promise<readonly DeliveryRef[] | undefined> {
    try {
      return await this.ends.submit(claim);
    } catch (error) {
      if (!isDatabaseLost(error)) throw error;
      // A lost connection alone must not make a side effect run again.
      return this.ends.submit(claim);
    }
  }

  /** The same within the handler's transaction, so that its rows and the end of the delivery commit together. */
  async finishIn(transaction: Sql, claim: Claim): Promise<readonly DeliveryRef[] | undefined> {
    const [next] = await finishAll([claim], transaction);
    return next;
  }

  /** Stores a failed attempt, and returns the next deliveries if it frees the partition. Undefined: as for `finish`. */
  async fail(
    claim: Claim,
    failure: Failure,
    { behindDead }: Subscription,
  ): Promise<readonly DeliveryRef[] | undefined> {
    const { dead, counted, pauseMs, name, message } = failure;
    const { eventId, subscriber, claims } = claim;
    const values = [
      dead,
      counted,
      pauseMs,
      name,
      message,
      behindDead === 'pass',
      dead ? errorFingerprint(failure) : null,
    ];
    return nextDeliveries(await this.database.query<EndedRow>(FAIL, [eventId, subscriber, claims, ...values]));
  }

  /** Returns overdue deliveries, and postpones their due time, so that the next rounds do not return them again. */
  async takeOverdue(subscribers: readonly string[], limitEach: number): Promise<DeliveryRef[]> {
    return this.database.query<DeliveryRef>(TAKE_OVERDUE, [subscribers, limitEach]);
  }

  /** Makes a delivery due at once, so that the relay of a process that has its subscriber enqueues it. */
  async makeDue({ eventId, subscriber, claims }: DeliveryRef): Promise<void> {
    await this.database.query(MAKE_DUE, [eventId, subscriber, claims]);
  }
}
