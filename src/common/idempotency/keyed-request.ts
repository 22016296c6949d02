import type { Sql } from '../database/session.js';
import { Created } from '../http/created.js';
import type { IdempotencyClaim } from './current-claim.js';
import { IdempotencyKeyReused, RequestStillRunning } from './idempotency.errors.js';

export interface RequestKey {
  /** Whose key it is: two of them may choose the same. */
  readonly principal: string;
  /** Method and pattern of the address. */
  readonly route: string;
  /** As the client chose it. */
  readonly key: string;
  /** Of the whole request, so that a key cannot be used for another one. */
  readonly fingerprint: Buffer;
}

/** Ends the work before it begins: the answer that the first request with this key got. */
export class AnsweredBefore extends Error {
  override readonly name = 'AnsweredBefore';

  constructor(readonly answer: Created<unknown>) {
    super('This request was answered before');
  }
}

interface Found {
  readonly isFree: boolean;
  readonly fingerprint: Buffer | null;
  readonly location: string | null;
  readonly body: unknown;
}

/** The lock lets a second request know of a first one whose row cannot be seen yet. It ends with the transaction. */
const CLAIM = `
  SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', $1::text, $2::text, $3::text), 0)) AS "isFree",
         k.fingerprint, k.location, k.body
    FROM (VALUES (true)) AS one
    LEFT JOIN backbone.idempotency_key k ON k.principal = $1 AND k.route = $2 AND k.key = $3`;

const KEEP = `
  INSERT INTO backbone.idempotency_key (principal, route, key, fingerprint, location, body)
  VALUES ($1, $2, $3, $4, $5, $6)`;

/**
 * A request that does its work once, however often it is sent: its key and its answer commit together with the work,
 * so there is no moment at which one exists without the other.
 *
 * Source: IETF draft-ietf-httpapi-idempotency-key-header-07.
 */
export class IdempotentRequest implements IdempotencyClaim {
  constructor(
    private readonly request: RequestKey,
    private readonly answerTo: (result: unknown) => unknown,
  ) {}

  /**
   * @throws {AnsweredBefore} when the work was done before
   * @throws {IdempotencyKeyReused} when it was another request's
   * @throws {RequestStillRunning} when it is being done now
   */
  async claim(sql: Sql): Promise<void> {
    const { principal, route, key, fingerprint } = this.request;
    const [found] = await sql.query<Found>(CLAIM, [principal, route, key]);
    if (found?.fingerprint) {
      if (!found.fingerprint.equals(fingerprint)) throw new IdempotencyKeyReused(key);
      throw new AnsweredBefore(new Created(found.location, found.body, { 'idempotent-replayed': 'true' }));
    }
    if (!found?.isFree) throw new RequestStillRunning(key);
  }

  keepAnswer(sql: Sql, result: unknown): void {
    const { principal, route, key, fingerprint } = this.request;
    const answer = this.answerTo(result);
    const { location, body } = answer instanceof Created ? answer : new Created(null, answer);
    sql.send(KEEP, [principal, route, key, fingerprint, location, JSON.stringify(body)]);
  }
}
