import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { RetentionPolicy } from '../retention/retention.js';

const KEPT_HOURS = 24;
const BATCH = 1_000;

/** Uses `now()`, which is stable: `clock_timestamp()` could not use the index. */
const PRUNE = `
  DELETE FROM backbone.idempotency_key WHERE (principal, route, key) IN (
    SELECT principal, route, key FROM backbone.idempotency_key
     WHERE created_at < now() - ${KEPT_HOURS} * interval '1 hour'
     ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** Deletes keys after 24 hours, together with their answers, which may contain personal data. */
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
