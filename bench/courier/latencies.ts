import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../test/support/until.js';
import type { Pace } from './courier-settings.js';

/** Latencies of this first period are not counted, because connections are opened then. */
const WARM_UP_MS = 500;

/** Times from the commit, or from the call of `queue.add`, to the start of the handler. */
export class Latencies {
  private readonly beganAt = new Map<string, number>();
  private readonly endedAt = new Map<string, number>();

  begin(id: string): void {
    this.beganAt.set(id, performance.now());
  }

  end(id: string): void {
    this.endedAt.set(id, performance.now());
  }

  /** Waits until all handlers have started. Returns their number. */
  async count(): Promise<number> {
    await until('all handlers have started', () => [...this.beganAt.keys()].every((id) => this.endedAt.has(id)));
    return this.beganAt.size;
  }

  /** In milliseconds, without those of the warm-up. */
  async whenWarm(): Promise<number[]> {
    await this.count();
    const warmAt = Math.min(...this.beganAt.values()) + WARM_UP_MS;
    return [...this.beganAt]
      .filter(([, since]) => since >= warmAt)
      .map(([id, since]) => Math.max(0, (this.endedAt.get(id) ?? 0) - since));
  }
}

/** Starts the work at a constant rate, including a warm-up, whether or not earlier calls have ended. */
export async function paced({ perSecond, seconds }: Pace, work: () => Promise<unknown>): Promise<void> {
  const running: Promise<unknown>[] = [];
  const start = performance.now();
  for (let nr = 0; nr < perSecond * (seconds + WARM_UP_MS / 1_000); nr += 1) {
    const early = start + (nr * 1_000) / perSecond - performance.now();
    if (early > 0) await pause(early);
    running.push(work());
  }
  await Promise.all(running);
}
