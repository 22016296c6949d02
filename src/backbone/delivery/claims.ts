import type { Sql } from '../../common/database/session.js';
import { claimId, type DeliveryRef, deliveryId } from '../delivery.js';
import type { DomainEvent } from '../domain-event.js';
import type { Subscription } from '../registry/subscriptions.js';
import { ENDED_AND_NEXT, type EndedRow, nextDeliveries } from './next-in-partition.js';

/** A delivery that is ours for the length of its lease. */
export interface Claim extends DeliveryRef {
  /** This run's number, from 1. */
  readonly attempt: number;
  readonly event: DomainEvent;
}

/** Who wants which delivery, and for how long. */
export interface ClaimRequest {
  readonly ref: DeliveryRef;
  readonly subscription: Subscription;
  readonly leaseMs: number;
}

/** After its pause a delivery gets this long before the relay takes it for forgotten. */
export const GRACE_MS = 2_000;

/** A predecessor that is not finished: the claim has to wait. A dead one blocks where the subscription parks. */
const BLOCKED = `EXISTS (
  SELECT FROM backbone.delivery p
   WHERE p.order_key = d.order_key AND p.position < d.position
     AND p.state IN ('pending', 'dead') AND (p.state = 'pending' OR (w.parks AND p.released_at IS NULL)))`;

/** Asked at every claim, so that a pause counts at once and in every process. */
const PAUSED = `EXISTS (SELECT FROM backbone.paused_subscriber WHERE subscriber = w.name)`;

/**
 * The delivery that is meant, if it is still to be done: looked up by its event, and written so that no other index can
 * serve it. Where PostgreSQL has not counted the table yet, it would take the one over all that is due, and walk through
 * the backlog for every row.
 */
const IS_MEANT = `d.event_id = w.event_id AND d.subscriber || '' = w.subscriber AND d.state || '' = 'pending'`;

/**
 * A lease that ran out without a word is an attempt that died with its process, and kept as such. What another build
 * has made this subscriber hear is left to that build. Sets nothing that an index knows of, so that PostgreSQL has none to
 * write (HOT); when it is due stays as it was, and the lease tells that it is looked after.
 */
const CLAIM = `
  UPDATE backbone.delivery d
     SET claims = d.claims + 1, attempts = attempts + 1,
         lease_until = clock_timestamp() + w.lease_ms * interval '1 millisecond',
         errors = CASE WHEN lease_until IS NULL THEN errors ELSE errors || jsonb_build_object(
           'attempt', attempts, 'at', clock_timestamp(), 'name', 'LeaseExpired',
           'message', 'The process that ran this attempt died or stalled') END
    FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::boolean[], $6::text[], $7::text[])
           AS w(event_id, subscriber, claims, lease_ms, parks, name, type), backbone.event e
   WHERE ${IS_MEANT} AND d.claims = w.claims
     AND e.id = w.event_id AND e.type = w.type
     AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())
     AND NOT ${PAUSED} AND NOT ${BLOCKED}
  RETURNING d.subscriber, d.claims, d.attempts AS attempt, e.id, e.type, e.subject, e.data,
            e.occurred_at AS "occurredAt", e.correlation_id AS "correlationId", e.causation_id AS "causationId"`;

/**
 * Those that are still ours. The arrays are asked for by subqueries, because PostgreSQL would otherwise plan anew for
 * every length they come in, which takes longer than the work.
 */
const FINISH = `
  WITH ended AS (
    UPDATE backbone.delivery d SET state = 'done', finished_at = clock_timestamp(), lease_until = NULL
      FROM unnest((SELECT $1::uuid[]), (SELECT $2::text[]), (SELECT $3::integer[])) AS w(event_id, subscriber, claims)
     WHERE ${IS_MEANT} AND d.claims = w.claims
    RETURNING d.event_id, d.subscriber, d.claims, d.order_key, d.position, true AS passable
  )
  SELECT concat_ws('.', ended.event_id, ended.subscriber, ended.claims) AS ended, n.event_id AS "eventId", n.subscriber, n.claims
    FROM ${ENDED_AND_NEXT}`;

type Claimed = Omit<DomainEvent, 'occurredAt'> & {
  readonly subscriber: string;
  readonly claims: number;
  readonly attempt: number;
  readonly occurredAt: Date;
};

type Finished = EndedRow & { readonly ended: string };

/** Gives each what it asked for, or undefined where that is not to be. */
export async function claimAll(
  asked: readonly ClaimRequest[],
  sql: Pick<Sql, 'query'>,
): Promise<(Claim | undefined)[]> {
  // Several processes may ask for the same ones, and must not wait for each other in a circle.
  const inOrder = asked.toSorted((one, other) => (deliveryId(one.ref) < deliveryId(other.ref) ? -1 : 1));
  const rows = await sql.query<Claimed>(CLAIM, [
    inOrder.map(({ ref }) => ref.eventId),
    inOrder.map(({ ref }) => ref.subscriber),
    inOrder.map(({ ref }) => ref.claims),
    inOrder.map(({ leaseMs }) => leaseMs),
    inOrder.map(({ subscription }) => subscription.behindDead === 'park'),
    inOrder.map(({ subscription }) => subscription.name),
    inOrder.map(({ subscription }) => subscription.contract.type),
  ]);
  const claimed = new Map(rows.map((row) => [deliveryId({ eventId: row.id, subscriber: row.subscriber }), row]));
  return asked.map(({ ref }) => {
    const row = claimed.get(deliveryId(ref));
    // Two that ask for the same must not both have it.
    claimed.delete(deliveryId(ref));
    return row && claimOf(row);
  });
}

/** Marks claims done, and gives what is next in the line of each. Undefined where the claim is no longer ours. */
export async function finishAll(
  claims: readonly Claim[],
  sql: Pick<Sql, 'query'>,
): Promise<(readonly DeliveryRef[] | undefined)[]> {
  const rows = await sql.query<Finished>(FINISH, [
    claims.map(({ eventId }) => eventId),
    claims.map(({ subscriber }) => subscriber),
    claims.map(({ claims: number }) => number),
  ]);
  return claims.map((claim) => nextDeliveries(rows.filter(({ ended }) => ended === claimId(claim))));
}

function claimOf({ subscriber, claims, attempt, occurredAt, ...event }: Claimed): Claim {
  return { eventId: event.id, subscriber, claims, attempt, event: { ...event, occurredAt: occurredAt.toISOString() } };
}
