import { Injectable } from '@nestjs/common';
import { GiveUp } from '../../src/backbone/outcomes.js';

/** The outcomes of a handler, including those of the mail server that it calls. */
export type HandlerOutcome = 'succeeds' | 'fails' | 'gives up' | 'stalls';

class Signal {
  give!: () => void;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

/** Determines the outcome of the next handlers. Without a planned outcome, a handler succeeds. */
@Injectable()
export class HandlerOutcomes {
  private planned: HandlerOutcome[] = [];
  private stalled = new Signal();
  private resumed = new Signal();

  plan(...planned: HandlerOutcome[]): void {
    this.planned = planned;
    this.stalled = new Signal();
    this.resumed = new Signal();
  }

  /** Resolves when a handler has stalled. */
  get hasStalled(): Promise<void> {
    return this.stalled.given;
  }

  /** Continues the stalled handler, which then succeeds. */
  resume(): void {
    this.resumed.give();
  }

  async apply(): Promise<void> {
    const outcome = this.planned.shift() ?? 'succeeds';
    if (outcome === 'fails') throw new Error('Planned failure');
    if (outcome === 'gives up') throw new GiveUp('Planned permanent failure');
    if (outcome !== 'stalls') return;
    this.stalled.give();
    await this.resumed.given;
  }
}
