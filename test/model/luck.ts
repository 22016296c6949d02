import { Injectable } from '@nestjs/common';
import { GiveUp } from '../../src/backbone/outcomes.js';

/** What happens to a handler: also a mail server is a matter of luck. */
export type Fortune = 'well' | 'fails' | 'is hopeless' | 'stalls';

class Signal {
  give!: () => void;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

/** Decides how handlers fare, one after the other; those for whom nothing is planned fare well. */
@Injectable()
export class Luck {
  private planned: Fortune[] = [];
  private stalled = new Signal();
  private goOn = new Signal();

  plan(...fortunes: Fortune[]): void {
    this.planned = fortunes;
    this.stalled = new Signal();
    this.goOn = new Signal();
  }

  /** Resolves when a handler has stalled. */
  get hasStalled(): Promise<void> {
    return this.stalled.given;
  }

  /** Lets the stalled handler go on, as if nothing had been. */
  wake(): void {
    this.goOn.give();
  }

  async meet(): Promise<void> {
    const fortune = this.planned.shift() ?? 'well';
    if (fortune === 'fails') throw new Error('Not this time');
    if (fortune === 'is hopeless') throw new GiveUp('Never');
    if (fortune !== 'stalls') return;
    this.stalled.give();
    await this.goOn.given;
  }
}
