import { Injectable } from '@nestjs/common';
import type { Contracts } from './contracts.js';
import type { Subscriptions } from './subscriptions.js';
import { UnreadableDeliveries } from './unreadable-deliveries.js';

/** What this build and this database cannot agree on: shown as it is, without a stack. */
export class StartUpError extends Error {
  constructor(problems: readonly string[]) {
    super(['Orderly refuses to start:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/**
 * Every event that a module says has a subscriber, or is marked as announced on purpose.
 * @throws {StartUpError} naming those that nobody would hear
 */
export function assertHeard(contracts: Contracts, subscriptions: Subscriptions): void {
  const unheard = contracts.all.filter(({ type, announced }) => !announced && subscriptions.to(type).length === 0);
  if (unheard.length === 0) return;
  throw new StartUpError(
    unheard.map(({ type }) => `nobody subscribes to ${type}: add a subscriber, or mark it "announced: true"`),
  );
}

/** Refuses to start where a delivery would go unheard. */
@Injectable()
export class StartUpChecks {
  constructor(private readonly unreadable: UnreadableDeliveries) {}

  /** @throws {StartUpError} naming every subscriber and event version that this build does not have */
  async pass(): Promise<void> {
    const problems = (await this.unreadable.find()).map(
      ({ subscriber, type, count }) =>
        `${count} unfinished deliveries of ${type} wait for ${subscriber}, which this build does not have: run the build that has it until they are done or skipped, or name it in formerNames if its method has another name here`,
    );
    if (problems.length > 0) throw new StartUpError(problems);
  }
}
