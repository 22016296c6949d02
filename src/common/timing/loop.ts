import { within } from './within.js';

/** A round takes milliseconds; one that hangs does not hold up a process that stops. */
const GOODBYE_MS = 500;

interface Rounds {
  round(): Promise<unknown>;
  /** Hears what a round threw. The next one comes all the same. */
  failed(error: unknown): void;
  /** The pause behind a round that took so long. */
  pauseMs(tookMs: number): number;
}

/** Makes rounds, each one when the one before it has ended, until it is stopped. */
export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly rounds: Rounds) {}

  start(pauseMs = 0): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, pauseMs);
  }

  /** The round that is running still ends, if it does so soon. No other one begins. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await within(GOODBYE_MS, this.running);
  }

  private async run(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.rounds.round();
    } catch (error) {
      this.rounds.failed(error);
    }
    this.start(this.rounds.pauseMs(performance.now() - startedAt));
  }
}
