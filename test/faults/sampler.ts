import { setTimeout as pause } from 'node:timers/promises';
import type { Rig } from './rig.js';

const LOOKS_EVERY_MS = 500;

/** Looks all the time whether more is sold than there is. */
export class Sampler {
  readonly seen: unknown[] = [];
  /** How often it could look. */
  looks = 0;
  private isOver = false;
  private readonly sampling: Promise<void>;

  constructor(private readonly rig: Rig) {
    this.sampling = this.sample();
    // Whoever stops it hears of it.
    this.sampling.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sampling;
    if (this.looks === 0) throw new Error('Nobody has looked at the stock');
  }

  private async sample(): Promise<void> {
    const { postgres, subject } = this.rig;
    while (!this.isOver) {
      const rows = await postgres.tryToSee(subject.oversold);
      if (rows) this.looks += 1;
      this.seen.push(...(rows ?? []));
      await pause(LOOKS_EVERY_MS);
    }
  }
}
