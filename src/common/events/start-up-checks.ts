import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Contracts } from './contracts.js';
import { Subscriptions } from './subscriptions.js';

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
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly database: Database,
  ) {}

  /** @throws {StartUpError} naming every subscriber and event version that this build does not have */
  async pass(): Promise<void> {
    const problems = await this.unreadable();
    if (problems.length > 0) throw new StartUpError(problems);
  }

  /** Deliveries that wait for a handler, or hold a version of an event, that this build does not have. */
  private async unreadable(): Promise<string[]> {
    // Plain reactions as well: they have deliveries from the time or the place where their module is another process.
    const known = this.subscriptions.all.flatMap(({ names, contract }) =>
      names.map((name) => `${name} ${contract.type}`),
    );
    const waiting = await this.database.query<{ pair: string; deliveries: string }>(
      `SELECT d.subscriber || ' ' || e.type AS pair, count(*) AS deliveries
         FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
        WHERE d.state IN ('pending', 'dead') AND NOT d.subscriber || ' ' || e.type = ANY ($1::text[])
        GROUP BY 1`,
      [known],
    );
    return waiting.map(({ pair, deliveries }) => {
      const [subscriber, type] = pair.split(' ');
      return `${deliveries} unfinished deliveries of ${type} wait for ${subscriber}, which this build does not have: run the build that has it until they are done or skipped, or name it in formerNames if its method has another name here`;
    });
  }
}
