import { setTimeout as pause } from 'node:timers/promises';
import { residentMemory } from './memory.js';
import type { Rig } from './rig.js';
import { PENDING_MAX } from './system-under-test.js';

const SAMPLE_EVERY_MS = 500;

/**
 * Samples oversold stock, the number of pending deliveries, and the memory of the processes, during the whole campaign.
 */
export class Sampler {
  readonly oversold: unknown[] = [];
  /** Samples in MiB by name of the process. */
  readonly memory = new Map<string, number[]>();
  /** Number of successful checks of the stock. */
  checks = 0;
  /** Whether so many deliveries are pending that clients must pause. */
  isOverloaded = false;
  private isOver = false;
  private readonly sampling: Promise<void>;

  constructor(private readonly rig: Rig) {
    this.sampling = this.sample();
    // stop() awaits the same promise, and throws its error.
    this.sampling.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sampling;
    if (this.checks === 0) throw new Error('The stock was never checked');
  }

  private async sample(): Promise<void> {
    const { postgres, system } = this.rig;
    while (!this.isOver) {
      const rows = await postgres.tryQuery(system.oversold);
      if (rows) this.checks += 1;
      this.oversold.push(...(rows ?? []));
      await this.sampleMemory();
      await this.samplePending();
      await pause(SAMPLE_EVERY_MS);
    }
  }

  /** Keeps the previous value if the server does not answer. */
  private async samplePending(): Promise<void> {
    const answer = this.rig.system.pending(this.rig).catch(() => undefined);
    const pending = await Promise.race([answer, pause(SAMPLE_EVERY_MS, undefined)]);
    if (pending !== undefined) this.isOverloaded = pending > PENDING_MAX;
  }

  private async sampleMemory(): Promise<void> {
    for (const { name, pid } of this.rig.apps) {
      const memory = pid === undefined ? undefined : await residentMemory(pid);
      if (memory === undefined) continue;
      const samples = this.memory.get(name);
      if (samples) samples.push(memory);
      else this.memory.set(name, [memory]);
    }
  }
}
