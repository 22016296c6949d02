import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../test/support/until.js';
import type { Pace } from './courier-settings.js';

/** Until then connections are opened, which takes longer than what they are for. */
const WARM_UP_MS = 500;

/** From the moment that something is certain to happen to the moment that it begins. */
export class Latencies {
  private readonly begun = new Map<string, number>();
  private readonly started = new Map<string, number>();

  begins(id: string): void {
    this.begun.set(id, performance.now());
  }

  starts(id: string): void {
    this.started.set(id, performance.now());
  }

  /** How many there were, when everything that was begun has started. */
  async count(): Promise<number> {
    await until('everything has started', () => [...this.begun.keys()].every((id) => this.started.has(id)));
    return this.begun.size;
  }

  /** In milliseconds, of all that came after the first half second. */
  async whenWarm(): Promise<number[]> {
    await this.count();
    const warmAt = Math.min(...this.begun.values()) + WARM_UP_MS;
    return [...this.begun]
      .filter(([, since]) => since >= warmAt)
      .map(([id, since]) => Math.max(0, (this.started.get(id) ?? 0) - since));
  }
}

/** Begins the work so many times a second, after a warm-up, whether or not what was begun before has ended. */
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
