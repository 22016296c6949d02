import type { QueryRunner } from 'typeorm';
import { TransactionEndedError } from './database-errors.js';

/** The statements of one transaction: none slips in behind its end, where it would be committed on its own. */
export class Statements {
  private readonly running = new Set<Promise<unknown>>();
  private hasEnded = false;

  constructor(runner: QueryRunner) {
    const query = runner.query.bind(runner);
    Object.assign(runner, {
      query: (...statement: unknown[]) => this.run((): Promise<unknown> => Reflect.apply(query, runner, statement)),
    });
  }

  /** Waits for those that run, and refuses all others. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.running);
  }

  private async run<Answer>(statement: () => Promise<Answer>): Promise<Answer> {
    if (this.hasEnded) throw new TransactionEndedError();
    const running = statement();
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }
}
