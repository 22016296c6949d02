import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import type { App } from './app.js';
import type { Fault, Stop } from './fault.js';
import type { Load } from './load.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

/** Probability that a fault is combined with another one. */
const TWO_AT_ONCE = 0.35;

/** A fault that was injected; times in milliseconds since the epoch. */
export interface Injection {
  readonly kind: string;
  readonly countsAs: Fault['countsAs'];
  readonly explainsDuplicates: boolean;
  readonly startedAt: number;
  /** The fault did not happen. */
  hasFailed?: boolean;
  /** Set where a process was stopped while no other fault was active. */
  stop?: Stop;
  /** Time of the end of the fault, before restarts. */
  healedAt?: number;
  /** Time at which the e-mails of new orders, placed through every process, had arrived. */
  recoveredAt?: number;
}

export interface NemesisOptions {
  readonly rig: Rig;
  readonly load: Load;
  readonly random: Random;
  readonly faults: readonly Fault[];
  /** The next fault does not wait longer than this for the recovery from the previous one. */
  readonly patienceMs: number;
  readonly recoversWithinMs: number;
}

/** Injects faults in a sequence that the seed determines, ends them, and measures the recovery. */
export class Nemesis {
  /** All injected faults, including those that did not happen. */
  readonly injections: Injection[] = [];
  readonly problems: string[] = [];
  private readonly affected = new Set<App>();
  private readonly recoveries: Promise<void>[] = [];
  private readonly deck: Fault[] = [];
  private long: Promise<void> | undefined;

  constructor(private readonly options: NemesisOptions) {}

  /** Resolves when this number of faults was injected and all have ended. */
  async inject(count: number): Promise<void> {
    const { random } = this.options;
    for (let left = count; left > 0; left -= 1) {
      const fault = this.draw();
      if (!fault) throw new Error('No fault is possible here');
      if (fault.isLong) {
        this.long = this.injectOne(fault).finally(() => {
          this.long = undefined;
        });
        this.long.catch(() => undefined);
        continue;
      }
      const isAlone = left === 1 || !random.chance(TWO_AT_ONCE);
      const other = isAlone ? undefined : this.draw(({ target, isLong }) => target !== fault.target && !isLong);
      if (other) left -= 1;
      await Promise.all([fault, ...(other ? [other] : [])].map((each) => this.injectOne(each)));
      await this.restartEnded();
    }
    await this.long;
    await Promise.all(this.recoveries.splice(0));
  }

  /** Draws from a deck: every kind of fault is drawn before one is drawn again. */
  private draw(isWanted: (fault: Fault) => boolean = () => true): Fault | undefined {
    const { random, faults, rig } = this.options;
    const possible = faults
      .filter(({ isPossible }) => isPossible?.(rig) ?? true)
      .flatMap((fault) => Array.from({ length: fault.weight ?? 1 }, () => fault));
    const fits = (fault: Fault) => isWanted(fault) && !(fault.isLong && this.long);
    if (!possible.some(fits)) return undefined;
    if (!this.deck.some(fits)) this.deck.push(...random.shuffled(possible));
    return this.deck.splice(this.deck.findIndex(fits), 1)[0];
  }

  private async injectOne(fault: Fault): Promise<void> {
    const { rig, random, patienceMs } = this.options;
    const isForApp = fault.target === 'app';
    const app = random.pick(isForApp ? this.intact() : rig.apps);
    const holdMs = random.between(...fault.durationMs);
    if (isForApp) this.affected.add(app);
    const { kind, countsAs, explainsDuplicates } = fault;
    const injection: Injection = { kind, countsAs, explainsDuplicates, startedAt: Date.now() };
    this.injections.push(injection);
    const failed = () => {
      injection.hasFailed = true;
    };
    const isAlone = () => this.injections.every((each) => each === injection || each.healedAt !== undefined);
    const stopped = (stop: Stop) => {
      injection.stop = stop;
    };
    const { problems } = this;
    const heal = await fault.inject({ rig, random, app, problems, failed, isAlone, stopped });
    await pause(holdMs);
    injection.healedAt = Date.now();
    await heal();
    if (isForApp) this.affected.delete(app);
    const recovery = this.recover(injection);
    this.recoveries.push(recovery);
    await Promise.race([recovery, pause(patienceMs)]);
  }

  private async recover(injection: Injection): Promise<void> {
    const { rig, load, recoversWithinMs } = this.options;
    const intact = this.intact().filter((app) => app.serves('/v1/orders'));
    if (intact.length === 0) return;
    const emails = await Promise.all(intact.map((app) => load.place(app, [{ sku: 'PLENTY-2', quantity: 1 }])));
    try {
      await until(
        'the e-mails of new orders have arrived',
        () => emails.every((email) => rig.mail.hasReceived(email)),
        recoversWithinMs,
      );
      injection.recoveredAt = Date.now();
    } catch {
      this.problems.push(`No e-mail within ${recoversWithinMs} ms after: ${injection.kind}`);
    }
  }

  /** The processes that no active fault affects. */
  private intact(): App[] {
    return this.options.rig.apps.filter((app) => !this.affected.has(app));
  }

  /** Restarts processes that ended without a fault, and reports them. */
  private async restartEnded(): Promise<void> {
    for (const app of this.options.rig.apps) {
      if (app.isRunning || this.affected.has(app)) continue;
      const { code, signal } = await app.ended();
      this.problems.push(`${app.name} ended without a fault: ${signal ?? code}`);
      await app.restart();
    }
  }
}
