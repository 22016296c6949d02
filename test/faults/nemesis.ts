import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import type { App } from './app.js';
import type { Fault, Stop } from './fault.js';
import type { Load } from './load.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

const TWO_AT_ONCE = 0.35;

/** A fault that happened; times in milliseconds since the epoch. */
export interface Strike {
  readonly kind: string;
  readonly counts: Fault['counts'];
  readonly explains: boolean;
  readonly startedAt: number;
  /** It did not come about. */
  hasFailed?: boolean;
  /** Where a process was stopped, and nothing else was broken. */
  stop?: Stop;
  /** When it was over, and what it had broken was started again. */
  healedAt?: number;
  /** When an order had been placed anew through every process, and its mail had come. */
  recoveredAt?: number;
}

export interface NemesisOptions {
  readonly rig: Rig;
  readonly load: Load;
  readonly random: Random;
  readonly faults: readonly Fault[];
  /** Waits this long for the recovery from one fault before the next one follows. */
  readonly patienceMs: number;
  readonly recoversWithinMs: number;
}

/** Breaks things in an order that its seed tells, sets them right again, and watches how the shop recovers. */
export class Nemesis {
  /** All that were tried. */
  readonly strikes: Strike[] = [];
  readonly complaints: string[] = [];
  private readonly taken = new Set<App>();
  private readonly recoveries: Promise<void>[] = [];
  private readonly deck: Fault[] = [];
  private long: Promise<void> | undefined;

  constructor(private readonly options: NemesisOptions) {}

  /** Resolves when so many faults have happened and all have healed. */
  async strike(count: number): Promise<void> {
    const { random } = this.options;
    for (let left = count; left > 0; left -= 1) {
      const fault = this.draw();
      if (!fault) throw new Error('There is no fault to choose from');
      if (fault.isLong) {
        this.long = this.one(fault).finally(() => {
          this.long = undefined;
        });
        this.long.catch(() => undefined);
        continue;
      }
      const isAlone = left === 1 || !random.chance(TWO_AT_ONCE);
      const other = isAlone ? undefined : this.draw(({ target, isLong }) => target !== fault.target && !isLong);
      if (other) left -= 1;
      await Promise.all([fault, ...(other ? [other] : [])].map((each) => this.one(each)));
      await this.lookAfterTheDead();
    }
    await this.long;
    await Promise.all(this.recoveries.splice(0));
  }

  /** Every kind comes up before one comes up again. */
  private draw(suits: (fault: Fault) => boolean = () => true): Fault | undefined {
    const { random, faults, rig } = this.options;
    const possible = faults
      .filter(({ isPossible }) => isPossible?.(rig) ?? true)
      .flatMap((fault) => Array.from({ length: fault.cards ?? 1 }, () => fault));
    const fits = (fault: Fault) => suits(fault) && !(fault.isLong && this.long);
    if (!possible.some(fits)) return undefined;
    if (!this.deck.some(fits)) this.deck.push(...random.shuffled(possible));
    return this.deck.splice(this.deck.findIndex(fits), 1)[0];
  }

  private async one(fault: Fault): Promise<void> {
    const { rig, random, patienceMs } = this.options;
    const isForApp = fault.target === 'app';
    const app = random.pick(isForApp ? this.whole() : rig.apps);
    const holdMs = random.between(...fault.lasts);
    if (isForApp) this.taken.add(app);
    const { kind, counts, explains } = fault;
    const strike: Strike = { kind, counts, explains, startedAt: Date.now() };
    this.strikes.push(strike);
    const failed = () => {
      strike.hasFailed = true;
    };
    const isAlone = () => this.strikes.every((each) => each === strike || each.healedAt !== undefined);
    const stopped = (stop: Stop) => {
      strike.stop = stop;
    };
    const { complaints } = this;
    const heal = await fault.strike({ rig, random, app, complaints, failed, isAlone, stopped });
    await pause(holdMs);
    strike.healedAt = Date.now();
    await heal();
    if (isForApp) this.taken.delete(app);
    const recovery = this.recover(strike);
    this.recoveries.push(recovery);
    await Promise.race([recovery, pause(patienceMs)]);
  }

  private async recover(strike: Strike): Promise<void> {
    const { rig, load, recoversWithinMs } = this.options;
    const whole = this.whole().filter((app) => app.serves('/v1/orders'));
    if (whole.length === 0) return;
    const emails = await Promise.all(whole.map((app) => load.place(app, [{ sku: 'PLENTY-2', quantity: 1 }])));
    try {
      await until('a mail has come', () => emails.every((email) => rig.mail.knows(email)), recoversWithinMs);
      strike.recoveredAt = Date.now();
    } catch {
      this.complaints.push(`No mail came within ${recoversWithinMs} ms after: ${strike.kind}`);
    }
  }

  /** The processes that no fault has in its hands. */
  private whole(): App[] {
    return this.options.rig.apps.filter((app) => !this.taken.has(app));
  }

  /** Nobody but a fault ends a process. */
  private async lookAfterTheDead(): Promise<void> {
    for (const app of this.options.rig.apps) {
      if (app.isRunning || this.taken.has(app)) continue;
      const { code, signal } = await app.ended();
      this.complaints.push(`${app.name} ended by itself: ${signal ?? code}`);
      await app.restart();
    }
  }
}
