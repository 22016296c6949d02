import type { Sql } from '../database/session.js';
import { Created } from '../http/created.js';
import type { IdempotencyClaim } from './current-claim.js';
import { IdempotencyKeyReused, RequestStillRunning } from './idempotency.errors.js';

export interface RequestKey {
  /** The client that chose the key: different principals may choose the same key. */
  readonly principal: string;
  /** The method and the pattern of the route. */
  readonly route: string;
  readonly key: string;
  /** A hash of the whole request, so that a key cannot be used for another request. */
  readonly fingerprint: Buffer;
}

/** Thrown before the work starts, with the answer that the first request with this key got. */
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

/** Until the first request commits, its row is not visible. The advisory lock, held until then, makes it detectable. */
const CLAIM = `
  SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', $1::text, $2::text, $3::text), 0)) AS "isFree",
         k.fingerprint, k.location, k.body
    FROM (VALUES (true)) AS one
    LEFT JOIN backbone.idempotency_key k ON k.principal = $1 AND k.route = $2 AND k.key = $3`;

const KEEP = `
  INSERT INTO backbone.idempotency_key (principal, route, key, fingerprint, location, body)
  VALUES ($1, $2, $3, $4, $5, $6)`;

/**
 * A request whose work is done once, however often it is sent: its key and its answer commit together with the work.
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
   * @throws {IdempotencyKeyReused} when the key was used by another request
   * @throws {RequestStillRunning} when the first request has not committed yet
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
