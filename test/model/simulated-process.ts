import { AsyncLocalStorage } from 'node:async_hooks';
import type { CrashPoint } from '../../src/backbone/crash-points.js';

/**
 * `after-send` is between the answer of the mail server and the record of it, which is no crash point of the program.
 */
export type DeathPoint = CrashPoint | 'after-send';

/** Thrown at the point of death. Code that catches it can no longer use the database or the queue. */
class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

const processes = new AsyncLocalStorage<SimulatedProcess>();

/**
 * A process that handles one request or delivery, up to its end or death. The program keeps nothing in memory between
 * two of them, so this is equivalent to a process of the operating system.
 */
export class SimulatedProcess {
  hasDied = false;

  constructor(
    private readonly diesAt?: DeathPoint,
    readonly name = '',
  ) {}

  /** The process of the running code. */
  static get current(): SimulatedProcess | undefined {
    return processes.getStore();
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return processes.run(this, work);
  }

  pass(point: DeathPoint): void {
    if (point === this.diesAt) this.hasDied = true;
    this.assertAlive();
  }

  assertAlive(): void {
    if (this.hasDied) throw new ProcessDied(`The process died at ${this.diesAt}`);
  }
}
