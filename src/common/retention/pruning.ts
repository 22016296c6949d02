import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { isError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';

/** Deletes what is too old: small batches, each committed on its own, so that nobody waits for their locks. */
export type Batches = () => AsyncIterable<number>;

const EVERY_MS = 10 * 60_000;
/** An outage lasts for many rounds. */
const SAY_EVERY_MS = 3_600_000;
/** A batch takes milliseconds; one that hangs does not hold up a process that stops. */
const GOODBYE_MS = 2_000;

/** Goes from time to time through all that is kept for a while only. Every process does, so batches have to share. */
@Injectable()
export class Pruning implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Pruning.name);
  private readonly kinds = new Map<string, Batches>();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<unknown> = Promise.resolve();
  private isStopping = false;

  /** Kinds take turns in the order in which they were added. */
  add(kind: string, batches: Batches): void {
    this.kinds.set(kind, batches);
  }

  onApplicationBootstrap(): void {
    this.next();
  }

  /** The batch that is running still ends. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await Promise.race([this.round, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  }

  /** One round, at once. Gives the number of rows of each kind. */
  async prune(): Promise<Record<string, number>> {
    const pruned: Record<string, number> = {};
    for (const [kind, batches] of this.kinds) pruned[kind] = await this.pruneOne(kind, batches);
    if (Object.values(pruned).some((rows) => rows > 0)) this.logger.log('Old rows were deleted', pruned);
    return pruned;
  }

  /** Processes that start together do not stay together. */
  private next(): void {
    if (this.isStopping) return;
    const pauseMs = EVERY_MS * (0.5 + Math.random());
    this.timer = setTimeout(() => {
      this.round = this.prune().then(() => this.next());
    }, pauseMs);
  }

  /** What is wrong with one kind is no reason to keep the others. */
  private async pruneOne(kind: string, batches: Batches): Promise<number> {
    let pruned = 0;
    try {
      if (this.isStopping) return pruned;
      for await (const rows of batches()) {
        pruned += rows;
        if (this.isStopping) break;
      }
    } catch (error) {
      const cause = isError(error) ? error.message : String(error);
      logSparingly(`pruning ${cause}`, SAY_EVERY_MS, (suppressed) =>
        this.logger.warn('Old rows could not be deleted; the next round will', { err: error, kind, suppressed }),
      );
    }
    return pruned;
  }
}
