import { isDatabaseLost } from '../database/database-errors.js';

interface Waiting<Item, Answer> {
  readonly item: Item;
  take(answer: Answer): void;
  fail(error: unknown): void;
}

/**
 * Makes one piece of work of what is asked while another one is being done. Alone, nobody waits for company; in a crowd,
 * the way to PostgreSQL and its commit are shared.
 */
export class Batches<Item, Answer> {
  private readonly waiting: Waiting<Item, Answer>[] = [];
  private isWorking = false;

  /**
   * @param work gives an answer for each item, in their order, and does all of it or nothing
   * @param max so many items at a time; 1: each on its own, without waiting for another
   */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly max: number,
  ) {}

  ask(item: Item): Promise<Answer> {
    return new Promise((take, fail) => {
      const waiting = { item, take, fail };
      if (this.max === 1) {
        void this.answer([waiting]);
        return;
      }
      this.waiting.push(waiting);
      if (!this.isWorking) void this.workOff();
    });
  }

  private async workOff(): Promise<void> {
    this.isWorking = true;
    while (this.waiting.length > 0) await this.answer(this.waiting.splice(0, this.max));
    this.isWorking = false;
  }

  private async answer(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ item }) => item));
      for (const [index, each] of batch.entries()) each.take(answers[index] as Answer);
    } catch (error) {
      if (batch.length === 1 || isDatabaseLost(error)) for (const each of batch) each.fail(error);
      // One of them may be to blame for what became of all.
      else for (const each of batch) await this.answer([each]);
    }
  }
}
