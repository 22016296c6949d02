import type { Sql } from '../../common/database/session.js';
import { claimId, type DeliveryRef, deliveryId } from '../delivery.js';
import type { DomainEvent } from '../domain-event.js';
import type { Subscription } from '../registry/subscriptions.js';
import { ENDED_AND_NEXT, type EndedRow, nextDeliveries } from './next-in-partition.js';

/** A delivery that this process may run until its lease expires. */
export interface Claim extends DeliveryRef {
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  readonly event: DomainEvent;
}

/** A delivery to claim, for its subscription and for the length of a lease. */
export interface ClaimRequest {
  readonly ref: DeliveryRef;
  readonly subscription: Subscription;
  readonly leaseMs: number;
}

/** The relay enqueues a failed delivery again when it was not claimed within this time after its pause. */
export const GRACE_MS = 2_000;

/** An earlier delivery of the partition is pending, or it is dead and the subscription parks: the claim is refused. */
const BLOCKED = `EXISTS (
  SELECT FROM backbone.delivery p
   WHERE p.order_key = d.order_key AND p.position < d.position
     AND p.state IN ('pending', 'dead') AND (p.state = 'pending' OR (w.parks AND p.released_at IS NULL)))`;

/** Read at every claim, so that a pause takes effect at once in every process. */
const PAUSED = `EXISTS (SELECT FROM backbone.paused_subscriber WHERE subscriber = w.name)`;

/**
 * The requested delivery, if it is pending. `|| ''` keeps PostgreSQL from using any index but the one by event: before
 * the table has statistics, it would choose the index of due deliveries, and read the whole backlog for every request.
 */
const IS_MEANT = `d.event_id = w.event_id AND d.subscriber || '' = w.subscriber AND d.state || '' = 'pending'`;

/**
 * An expired lease means that the process of the previous attempt died or stalled: its attempt is stored as
 * `LeaseExpired`. A delivery of an event type that only another build of this subscriber handles is left to that build.
 * No indexed column changes, so PostgreSQL writes no index entry (HOT). So `due_at` stays too; the relay skips
 * deliveries by their lease.
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
 * Ends the deliveries whose claim number is still current. The arrays are read in subqueries: otherwise PostgreSQL
 * would plan the statement again for each length of the arrays, which takes longer than to execute it.
 */
const FINISH = `
  WITH ended AS (
    UPDATE backbone.delivery d SET state = 'done', finished_at = clock_timestamp(), lease_until = NULL
      FROM unnest((SELECT $1::uuid[]), (SELECT $2::text[]), (SELECT $3::integer[])) AS w(event_id, subscriber, claims)
     WHERE ${IS_MEANT} AND d.claims = w.claims
    RETURNING d.event_id, d.subscriber, d.claims, d.order_key, d.position, true AS frees_partition
  )
  SELECT concat_ws('.', ended.event_id, ended.subscriber, ended.claims) AS claim,
         n.event_id AS "eventId", n.subscriber, n.claims
    FROM ${ENDED_AND_NEXT}`;

type Claimed = Omit<DomainEvent, 'occurredAt'> & {
  readonly subscriber: string;
  readonly claims: number;
  readonly attempt: number;
  readonly occurredAt: Date;
};

type Finished = EndedRow & { readonly claim: string };

/** Returns a claim for each request, or undefined where the claim was refused. */
export async function claimAll(
  requests: readonly ClaimRequest[],
  sql: Pick<Sql, 'query'>,
): Promise<(Claim | undefined)[]> {
  // Sorted, so that processes that claim the same deliveries cannot deadlock.
  const sorted = requests.toSorted((one, other) => (deliveryId(one.ref) < deliveryId(other.ref) ? -1 : 1));
  const rows = await sql.query<Claimed>(CLAIM, [
    sorted.map(({ ref }) => ref.eventId),
    sorted.map(({ ref }) => ref.subscriber),
    sorted.map(({ ref }) => ref.claims),
    sorted.map(({ leaseMs }) => leaseMs),
    sorted.map(({ subscription }) => subscription.behindDead === 'park'),
    sorted.map(({ subscription }) => subscription.name),
    sorted.map(({ subscription }) => subscription.contract.type),
  ]);
  const claimed = new Map(rows.map((row) => [deliveryId({ eventId: row.id, subscriber: row.subscriber }), row]));
  return requests.map(({ ref }) => {
    const row = claimed.get(deliveryId(ref));
    // Two requests for the same delivery must not share one claim.
    claimed.delete(deliveryId(ref));
    return row && claimOf(row);
  });
}

/**
 * Marks deliveries done, and returns the next deliveries of the partition of each. Undefined where the claim number is
 * no longer current.
 */
export async function finishAll(
  claims: readonly Claim[],
  sql: Pick<Sql, 'query'>,
): Promise<(readonly DeliveryRef[] | undefined)[]> {
  const rows = await sql.query<Finished>(FINISH, [
    claims.map(({ eventId }) => eventId),
    claims.map(({ subscriber }) => subscriber),
    claims.map(({ claims: number }) => number),
  ]);
  return claims.map((claim) => nextDeliveries(rows.filter((row) => row.claim === claimId(claim))));
}

function claimOf({ subscriber, claims, attempt, occurredAt, ...event }: Claimed): Claim {
  return { eventId: event.id, subscriber, claims, attempt, event: { ...event, occurredAt: occurredAt.toISOString() } };
}
