import { setTimeout as pause } from 'node:timers/promises';
import { residentMemory } from './memory.js';
import type { Rig } from './rig.js';
import { AHEAD_MAX } from './subject.js';

const LOOKS_EVERY_MS = 500;

/** Looks all the time whether more is sold than there is, how much waits, and how much memory the processes take. */
export class Sampler {
  readonly seen: unknown[] = [];
  /** In MiB, by the name of the process. */
  readonly memory = new Map<string, number[]>();
  /** How often it could look. */
  looks = 0;
  /** Whether more waits to be done than clients may be ahead. */
  isBehind = false;
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
      await this.weigh();
      await this.count();
      await pause(LOOKS_EVERY_MS);
    }
  }

  /** A server that does not answer tells nothing new. */
  private async count(): Promise<void> {
    const answer = this.rig.subject.waiting(this.rig).catch(() => undefined);
    const waiting = await Promise.race([answer, pause(LOOKS_EVERY_MS, undefined)]);
    if (waiting !== undefined) this.isBehind = waiting > AHEAD_MAX;
  }

  private async weigh(): Promise<void> {
    for (const { name, pid } of this.rig.apps) {
      const memory = pid === undefined ? undefined : await residentMemory(pid);
      if (memory === undefined) continue;
      const seen = this.memory.get(name);
      if (seen) seen.push(memory);
      else this.memory.set(name, [memory]);
    }
  }
}
