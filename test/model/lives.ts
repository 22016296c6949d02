import { AsyncLocalStorage } from 'node:async_hooks';
import type { CrashPoint } from '../../src/backbone/crash-points.js';

/**
 * The mail server has said yes, and we have not written it down: a place to die that the program itself cannot name.
 */
export type Death = CrashPoint | 'mail-is-out';

/**
 * Thrown where a process died. Whoever catches it can do nothing more: a dead process reaches no database and no queue.
 */
class Died extends Error {
  override readonly name = 'Died';
}

const lives = new AsyncLocalStorage<Life>();

/**
 * A process as far as the shop can tell, which keeps nothing in memory between two requests or deliveries: what one of
 * them does, up to its end or its death.
 */
export class Life {
  isOver = false;

  constructor(
    private readonly diesAt?: Death,
    readonly name = '',
  ) {}

  /** That of the code that is running. */
  static get current(): Life | undefined {
    return lives.getStore();
  }

  live<Result>(work: () => Promise<Result>): Promise<Result> {
    return lives.run(this, work);
  }

  pass(point: Death): void {
    if (point === this.diesAt) this.isOver = true;
    this.assertAlive();
  }

  assertAlive(): void {
    if (this.isOver) throw new Died(`The process died at ${this.diesAt}`);
  }
}
