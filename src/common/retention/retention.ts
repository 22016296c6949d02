import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { logOccasionally } from '../logging/log-occasionally.js';
import { Loop } from '../timing/loop.js';

/**
 * Deletes one kind of rows that are too old. A provider class, listed under `retention` in its module's declaration.
 */
export interface RetentionPolicy {
  /** The kind of rows, for the log. */
  readonly kind: string;
  /**
   * Deletes in small batches and yields the number of rows of each. Every batch commits on its own, so that no other
   * transaction waits long for its locks. All processes run this at the same time, so batches skip locked rows.
   */
  batches(): AsyncIterable<number>;
}

/** Injects the classes of all policies of this process. */
export const RETENTION_POLICIES = Symbol('retention policies');

const EVERY_MS = 10 * 60_000;
/** A batch takes milliseconds. A process that stops waits no longer for one that hangs. */
const STOP_MS = 2_000;

/** Runs the retention policies of this process in rounds, 5 to 15 minutes apart. */
@Injectable()
export class RetentionRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Retention');
  private isStopping = false;
  private readonly loop = new Loop({
    round: () => this.prune(),
    failed: (err) => logOccasionally(this.logger, 'warn', { message: 'The retention round failed', err }),
    pauseMs: nextPauseMs,
    stopMs: STOP_MS,
  });

  constructor(
    private readonly moduleRef: ModuleRef,
    @Inject(RETENTION_POLICIES) private readonly policies: readonly Type<RetentionPolicy>[],
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start(nextPauseMs());
  }

  /** Waits for the running batch, and starts no further one. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.loop.stop();
  }

  /** Runs every policy once. Returns the number of deleted rows of each kind. */
  async prune(): Promise<Record<string, number>> {
    const pruned: Record<string, number> = {};
    for (const type of this.policies) {
      const policy = this.moduleRef.get(type, { strict: false });
      pruned[policy.kind] = await this.pruneOne(policy);
    }
    if (Object.values(pruned).some((rows) => rows > 0)) this.logger.log('Old rows were deleted', pruned);
    return pruned;
  }

  /** An error is logged, so that the other policies run. */
  private async pruneOne(policy: RetentionPolicy): Promise<number> {
    let pruned = 0;
    try {
      if (this.isStopping) return pruned;
      for await (const rows of policy.batches()) {
        pruned += rows;
        if (this.isStopping) break;
      }
    } catch (err) {
      const { kind } = policy;
      const message = 'Old rows could not be deleted; the next round will try again';
      logOccasionally(this.logger, 'warn', { message, key: `retention ${kind}`, err, kind });
    }
    return pruned;
  }
}

/** Random, so that processes that started together do not delete rows at the same time. */
function nextPauseMs(): number {
  return EVERY_MS * (0.5 + Math.random());
}
