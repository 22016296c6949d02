import { waitAtMost } from './with-timeout.js';

/** A round takes milliseconds. A process that stops waits no longer for one that hangs. */
const STOP_MS = 500;

interface LoopOptions {
  round(): Promise<unknown>;
  /** Receives the error of a failed round. The loop continues. */
  failed(error: unknown): void;
  /** Returns the pause after a round, in milliseconds, from the duration of the round. */
  pauseMs(tookMs: number): number;
  /** The longest time for which `stop` waits for the running round. */
  readonly stopMs?: number;
}

/** Runs rounds until it is stopped. Between the end of a round and the start of the next one is a pause. */
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

  /** Starts no further round, and waits at most `stopMs` for the running one. */
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
