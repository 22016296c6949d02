import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database, rowsOf } from '../database/database.js';
import type { DeliveryRef } from './delivery.js';
import type { DomainEvent } from './domain-event.js';
import { fingerprintOf } from './fingerprint.js';
import { type EndedRow, NEXT, nextOf } from './next-in-line.js';
import type { Subscription } from './subscriptions.js';

/** A delivery that is ours for the length of its lease. */
export interface Claim extends DeliveryRef {
  /** This run's number, from 1. */
  readonly attempt: number;
  readonly event: DomainEvent;
}

/** How a failed attempt is booked. */
export interface Failure {
  readonly dead: boolean;
  /** False: the attempt does not count and leaves no error (RetryLater, or a process that stops). */
  readonly counted: boolean;
  /** Milliseconds until the next attempt. */
  readonly pauseMs: number;
  readonly name: string;
  readonly message: string;
}

/** After its lease or its pause a delivery gets this long before the relay takes it for forgotten. */
const GRACE_MS = 2_000;
/** A job that vanished with its queue is missed after this time. */
const REDISPATCH_AFTER_MS = 15_000;

/** A predecessor that is not finished: the claim has to wait. A dead one blocks where the subscription parks. */
const BLOCKED = `EXISTS (
  SELECT FROM backbone.delivery p
   WHERE p.order_key = d.order_key AND p.position < d.position
     AND p.state IN ('pending', 'dead') AND (p.state = 'pending' OR ($5 AND p.released_at IS NULL)))`;

/** Asked at every claim, so that a pause counts at once and in every process. */
const PAUSED = `EXISTS (SELECT FROM backbone.paused_subscriber WHERE subscriber = $6)`;

/**
 * A lease that ran out without a word is an attempt that died with its process, and kept as such. What another build
 * has made this subscriber hear is left to that build.
 */
const CLAIM = `
  UPDATE backbone.delivery d
     SET claims = claims + 1, attempts = attempts + 1,
         lease_until = clock_timestamp() + $4 * interval '1 millisecond',
         due_at = clock_timestamp() + ($4 + ${GRACE_MS}) * interval '1 millisecond',
         errors = CASE WHEN lease_until IS NULL THEN errors ELSE errors || jsonb_build_object(
           'attempt', attempts, 'at', clock_timestamp(), 'name', 'LeaseExpired',
           'message', 'The process that ran this attempt died or stalled') END
    FROM backbone.event e
   WHERE d.event_id = $1 AND d.subscriber = $2 AND d.claims = $3 AND d.state = 'pending'
     AND e.id = d.event_id AND e.type = $7
     AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())
     AND NOT ${PAUSED} AND NOT ${BLOCKED}
  RETURNING d.claims, d.attempts AS attempt, e.id, e.type, e.subject, e.data, e.occurred_at AS "occurredAt",
            e.correlation_id AS "correlationId", e.causation_id AS "causationId"`;

const FINISH = `
  WITH ended AS (
    UPDATE backbone.delivery SET state = 'done', finished_at = clock_timestamp(), lease_until = NULL
     WHERE event_id = $1 AND subscriber = $2 AND claims = $3 AND state = 'pending'
    RETURNING order_key, position, true AS passable
  ) ${NEXT}`;

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
    RETURNING order_key, position, $4 AND $9 AS passable
  ) ${NEXT}`;

/** So many of each subscriber, so that the backlog of one does not keep the others waiting. */
const FORGOTTEN = `
  UPDATE backbone.delivery d SET due_at = now() + ${REDISPATCH_AFTER_MS} * interval '1 millisecond'
    FROM (SELECT unnest($1::text[]) AS subscriber EXCEPT SELECT subscriber FROM backbone.paused_subscriber) wanted,
    LATERAL (
      SELECT event_id FROM backbone.delivery
       WHERE state = 'pending' AND subscriber = wanted.subscriber AND due_at < now()
       ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) due
   WHERE d.event_id = due.event_id AND d.subscriber = wanted.subscriber
  RETURNING d.event_id AS "eventId", d.subscriber, d.claims`;

const PASS_ON = `
  UPDATE backbone.delivery SET due_at = clock_timestamp()
   WHERE event_id = $1 AND subscriber = $2 AND claims = $3 AND state = 'pending' AND lease_until IS NULL`;

/** The table of deliveries: who still has to hear what. All clocks are the database's. */
@Injectable()
export class Deliveries {
  constructor(private readonly database: Database) {}

  /** Takes a delivery for the length of the lease; nothing when it is done, someone else's, or not its turn. */
  async claim(
    ref: DeliveryRef,
    { behindDead, name, contract }: Subscription,
    leaseMs: number,
  ): Promise<Claim | undefined> {
    type Row = DomainEvent & { claims: number; attempt: number; occurredAt: Date };
    const terms = [behindDead === 'park', name, contract.type];
    const parameters = [ref.eventId, ref.subscriber, ref.claims, leaseMs, ...terms];
    const [row] = await this.database.query<Row>(CLAIM, parameters);
    if (!row) return undefined;
    const { claims, attempt, ...event } = row;
    return { ...ref, claims, attempt, event: { ...event, occurredAt: row.occurredAt.toISOString() } };
  }

  /** Marks a claim done, and gives what is next in its line. Undefined: the claim is no longer ours. */
  async finish({ eventId, subscriber, claims }: Claim): Promise<readonly DeliveryRef[] | undefined> {
    return nextOf(await this.database.query<EndedRow>(FINISH, [eventId, subscriber, claims]));
  }

  /** The same within the handler's transaction, so that both commit or neither does. */
  async finishIn(manager: EntityManager, claim: Claim): Promise<readonly DeliveryRef[] | undefined> {
    return nextOf(await rowsOf<EndedRow>(manager, FINISH, [claim.eventId, claim.subscriber, claim.claims]));
  }

  /** Books a failed attempt. Undefined: the claim is no longer ours. */
  async fail(
    claim: Claim,
    failure: Failure,
    { behindDead }: Subscription,
  ): Promise<readonly DeliveryRef[] | undefined> {
    const { dead, counted, pauseMs, name, message } = failure;
    const { eventId, subscriber, claims } = claim;
    const booked = [dead, counted, pauseMs, name, message, behindDead === 'pass', dead ? fingerprintOf(failure) : null];
    return nextOf(await this.database.query<EndedRow>(FAIL, [eventId, subscriber, claims, ...booked]));
  }

  /** Pending deliveries that nobody has taken up for too long, and marks them as looked after for a while. */
  async forgotten(subscribers: readonly string[], limitEach: number): Promise<DeliveryRef[]> {
    return this.database.query<DeliveryRef>(FORGOTTEN, [subscribers, limitEach]);
  }

  /** Makes what came to the wrong process due at once, for the relay of one that has its subscriber. */
  async passOn({ eventId, subscriber, claims }: DeliveryRef): Promise<void> {
    await this.database.query(PASS_ON, [eventId, subscriber, claims]);
  }
}
