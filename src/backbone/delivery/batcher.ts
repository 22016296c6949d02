import { isDatabaseLost } from '../../common/database/database-errors.js';

interface Request<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** A batch that takes longer than this hangs or waits for a lock, so the next batch starts beside it. */
const SLOW_BATCH_MS = 250;

/**
 * Runs the items of concurrent calls as one batch: they share one round trip to PostgreSQL and one commit. Items that
 * are submitted while a batch runs form the next batch. A single call is not delayed.
 */
export class Batcher<Item, Answer> {
  private readonly waiting: Request<Item, Answer>[] = [];
  private isBusy = false;

  /**
   * @param work returns one answer for each item, in the same sequence; it does all items or none
   * @param max the largest number of items of a batch; 1: each item runs on its own, without waiting for another
   */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly max: number,
  ) {}

  submit(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.max === 1) this.startBatch();
      else this.scheduleBatch();
    });
  }

  /** Requests that were read from a socket in one piece submit their items in one turn of the event loop. */
  private scheduleBatch(): void {
    if (this.isBusy || this.waiting.length === 0) return;
    this.isBusy = true;
    setImmediate(() => this.startBatch());
  }

  private startBatch(): void {
    const batch = this.waiting.splice(0, this.max);
    let mayStartNext = true;
    const startNext = () => {
      if (!mayStartNext) return;
      mayStartNext = false;
      this.isBusy = false;
      this.scheduleBatch();
    };
    const slow = setTimeout(startNext, SLOW_BATCH_MS);
    void this.run(batch).finally(() => {
      clearTimeout(slow);
      startNext();
    });
  }

  private async run(batch: readonly Request<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ item }) => item));
      for (const [index, each] of batch.entries()) each.resolve(answers[index] as Answer);
    } catch (error) {
      if (batch.length === 1 || isDatabaseLost(error)) for (const each of batch) each.reject(error);
      // One item may have failed the whole batch, so each is tried on its own.
      else await Promise.all(batch.map((each) => this.run([each])));
    }
  }
}
