import { isDatabaseLost } from '../../common/database/database-errors.js';

interface Request<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** One that takes longer hangs, or waits for a lock: those that came meanwhile have waited for it long enough. */
const LATE_MS = 250;

/**
 * Makes one piece of work of what is asked at once, or while another one is being done. Alone, nobody waits for company; in
 * a crowd, the way to PostgreSQL and its commit are shared.
 */
export class Batcher<Item, Answer> {
  private readonly waiting: Request<Item, Answer>[] = [];
  private isWorking = false;

  /**
   * @param work gives an answer for each item, in their order, and does all of it or nothing
   * @param max so many items at a time; 1: each on its own, without waiting for another
   */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly max: number,
  ) {}

  submit(item: Item): Promise<Answer> {
    return new Promise((take, fail) => {
      this.waiting.push({ item, resolve: take, reject: fail });
      if (this.max === 1) this.begin();
      else this.goOn();
    });
  }

  /** What was read from a socket in one piece asks in one turn of the event loop. */
  private goOn(): void {
    if (this.isWorking || this.waiting.length === 0) return;
    this.isWorking = true;
    setImmediate(() => this.begin());
  }

  private begin(): void {
    const batch = this.waiting.splice(0, this.max);
    let isOurTurn = true;
    const end = () => {
      if (!isOurTurn) return;
      isOurTurn = false;
      this.isWorking = false;
      this.goOn();
    };
    const late = setTimeout(end, LATE_MS);
    void this.answer(batch).finally(() => {
      clearTimeout(late);
      end();
    });
  }

  private async answer(batch: readonly Request<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ item }) => item));
      for (const [index, each] of batch.entries()) each.resolve(answers[index] as Answer);
    } catch (error) {
      if (batch.length === 1 || isDatabaseLost(error)) for (const each of batch) each.reject(error);
      // One of them may be to blame for what became of all.
      else await Promise.all(batch.map((each) => this.answer([each])));
    }
  }
}
