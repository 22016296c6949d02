import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { RetentionPolicy } from '../retention/retention.js';

const KEPT_HOURS = 24;
const BATCH = 1_000;

/** By `now()`, which is stable: for `clock_timestamp()` no index could be searched. */
const PRUNE = `
  DELETE FROM backbone.idempotency_key WHERE (principal, route, key) IN (
    SELECT principal, route, key FROM backbone.idempotency_key
     WHERE created_at < now() - ${KEPT_HOURS} * interval '1 hour'
     ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** Forgets keys and their answers, which may hold personal data, when no client repeats that request any more. */
@Injectable()
export class KeyRetention implements RetentionPolicy {
  readonly kind = 'idempotency keys';

  constructor(private readonly database: Database) {}

  async *batches(): AsyncGenerator<number> {
    for (let length = BATCH; length === BATCH; ) {
      ({ length } = await this.database.query(PRUNE));
      yield length;
    }
  }
}
