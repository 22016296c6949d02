import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../database/database.js';

const KEPT_HOURS = 24;
const EVERY_MS = 10 * 60_000;
/** Small, so that no request waits for a lock of this. */
const BATCH = 1_000;

const PRUNE = `
  DELETE FROM backbone.idempotency_key WHERE (principal, route, key) IN (
    SELECT principal, route, key FROM backbone.idempotency_key
     WHERE created_at < clock_timestamp() - ${KEPT_HOURS} * interval '1 hour'
     ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** Forgets keys and their answers, which may hold personal data, when no client repeats that request any more. */
@Injectable()
export class KeyRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(KeyRetention.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.prune().then(
        () => undefined,
        (err: unknown) => this.logger.warn('Old idempotency keys could not be deleted; the next round will', { err }),
      );
    }, EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Deletes what is too old, batch by batch. Gives the number of keys. */
  async prune(): Promise<number> {
    for (let pruned = 0; ; ) {
      const { length } = await this.database.query(PRUNE);
      pruned += length;
      if (length < BATCH) return pruned;
    }
  }
}
