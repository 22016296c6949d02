import { waitAtMost } from './with-timeout.js';

/** A round takes milliseconds; one that hangs does not hold up a process that stops. */
const STOP_MS = 500;

interface LoopOptions {
  round(): Promise<unknown>;
  /** Receives what a round threw. The next round follows all the same. */
  failed(error: unknown): void;
  /** The pause after a round, in milliseconds, from the time that the round took. */
  pauseMs(tookMs: number): number;
  /** How long `stop` waits for a round that runs. */
  readonly stopMs?: number;
}

/** Runs rounds until it is stopped. A round starts when the previous one has ended and the pause has passed. */
export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly options: LoopOptions) {}

  /** @param pauseMs before the first round */
  start(pauseMs = 0): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, pauseMs);
  }

  /** Starts no further round, and waits for the one that runs, but not for long. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await waitAtMost(this.options.stopMs ?? STOP_MS, this.running);
  }

  private async run(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.options.round();
    } catch (error) {
      this.options.failed(error);
    }
    this.start(this.options.pauseMs(performance.now() - startedAt));
  }
}
