import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import { breaksByFault } from './breaks.js';
import { check, isBroken } from './checks.js';
import { drain } from './drain.js';
import { keepEvidence } from './evidence.js';
import type { Fault } from './fault.js';
import { Load } from './load.js';
import { LoadLog } from './load-log.js';
import { growthOf } from './memory.js';
import { Nemesis } from './nemesis.js';
import { machine, type Outcome } from './outcome.js';
import { Random } from './random.js';
import { replayAll } from './replay.js';
import { buildRig, type Rig, type Setup } from './rig.js';
import { Sampler } from './sampler.js';
import type { SystemUnderTest } from './system-under-test.js';

const ORDERS_WITHIN_MS = 3_600_000;

export interface Plan extends Setup {
  readonly system: SystemUnderTest;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Minimum numbers of faults and of acknowledged orders. */
  readonly faultCount: number;
  readonly orderCount: number;
  /** After this number of faults, all faults end and all promises are checked. */
  readonly faultsPerRound: number;
  readonly clients: number;
  /** Time before the first fault, in which the rate without faults is measured. */
  readonly calmMs: number;
  /** The next fault does not wait longer than this for the recovery from the previous one. */
  readonly patienceMs: number;
  /** A longer recovery is reported as a problem. */
  readonly recoversWithinMs: number;
  /** Work that is pending for longer than this after the last fault of a round counts as stuck. */
  readonly quietMs: number;
  /** Whether the campaign ends after the first round with a broken promise. */
  readonly endsWhenBroken: boolean;
  /** Whether the evidence of broken promises is kept. */
  readonly keepsEvidence: boolean;
  /** Called with the outcome after every round. */
  readonly keep: (outcome: Outcome) => Promise<void>;
  readonly print: (sentence: string) => void;
}

/** Injects faults, round by round, until there were enough faults and orders or a promise was broken. */
export async function campaign(plan: Plan): Promise<Outcome> {
  const rig = await buildRig(plan.system, plan);
  try {
    return await new Campaign(plan, rig).play();
  } catch (error) {
    await keep(rig, plan);
    throw error;
  } finally {
    await rig.stop();
  }
}

class Campaign {
  private readonly log: LoadLog;
  private readonly load: Load;
  private readonly nemesis: Nemesis;
  private readonly sampler: Sampler;
  private readonly startedAt = Date.now();
  private readonly drainsMs: number[] = [];
  private calmRate = 0;
  private underFaults = 0;
  private faultyMs = 0;

  constructor(
    private readonly plan: Plan,
    private readonly rig: Rig,
  ) {
    const { seed, system, clients, faults, patienceMs, recoversWithinMs } = plan;
    const random = new Random(seed);
    this.log = new LoadLog(join(rig.folder, 'load.ndjson'));
    const client = { apps: rig.apps, random: random.fork('load'), log: this.log, clients };
    this.load = new Load({ ...client, keepsKeys: system.keepsKeys, isOverloaded: () => this.sampler.isOverloaded });
    const { load } = this;
    this.nemesis = new Nemesis({ rig, load, random: random.fork('nemesis'), faults, patienceMs, recoversWithinMs });
    this.sampler = new Sampler(rig);
  }

  async play(): Promise<Outcome> {
    const { plan, rig, load, log } = this;
    await load.open();
    await until(
      'all processes have handled the events of the catalogue',
      async () => (await plan.system.backlog(rig)).length === 0,
    );
    load.start();
    await pause(plan.calmMs);
    this.calmRate = (log.acknowledged * 1000) / plan.calmMs;
    for (let left = plan.faultCount; ; left -= plan.faultsPerRound) {
      const isLast = left <= plan.faultsPerRound;
      const outcome = await this.round(Math.min(left, plan.faultsPerRound), isLast);
      await plan.keep(outcome);
      const broken = outcome.verdicts.filter(isBroken);
      if (broken.length > 0) await keep(rig, plan, outcome);
      if (!isLast && !(broken.length > 0 && plan.endsWhenBroken)) {
        load.start();
        continue;
      }
      await this.sampler.stop();
      await log.close();
      return outcome;
    }
  }

  /** Injects faults, waits until all work is done, and checks all promises. */
  private async round(faults: number, isLast: boolean): Promise<Outcome> {
    const { plan, rig, load, log, nemesis, sampler } = this;
    const from = Date.now();
    const before = log.acknowledged;
    await nemesis.inject(faults);
    this.faultyMs += Date.now() - from;
    this.underFaults += log.acknowledged - before;
    if (isLast) await until('there are enough orders', () => log.acknowledged >= plan.orderCount, ORDERS_WITHIN_MS);
    const { stuck, drainMs } = await drain(rig, load, plan.quietMs);
    this.drainsMs.push(drainMs);
    const { problems, injections } = nemesis;
    const changedByReplay = isLast && stuck.length === 0 ? await replayAll(rig, plan.quietMs) : null;
    const found = await check({ rig, log, injections, problems, oversold: sampler.oversold, stuck, changedByReplay });
    plan.print(`${injections.length} faults, ${log.acknowledged} orders, ${sampler.checks} checks of the stock`);
    return {
      ...found,
      system: plan.system.name,
      seed: plan.seed,
      topology: plan.topology,
      queues: plan.queues,
      machine: machine(),
      kinds: plan.faults.map(({ kind }) => kind),
      injections,
      acknowledged: log.acknowledged,
      requestsWithoutAnswer: [...log.intents.values()].reduce((sum, { unknowns }) => sum + unknowns, 0),
      breaks: breaksByFault(log.breaks, injections),
      misusedKeys: log.misuses.length,
      answers: Object.fromEntries(log.answers),
      mails: rig.mail.mails.length,
      seconds: (Date.now() - this.startedAt) / 1000,
      calmRate: this.calmRate,
      faultyRate: (this.underFaults * 1000) / this.faultyMs,
      drainsMs: [...this.drainsMs],
      memory: Object.fromEntries([...sampler.memory].map(([name, samples]) => [name, growthOf(samples)])),
      hasOwnDisk: rig.disk !== undefined,
    };
  }
}

/** An error while the evidence is stored is printed only, so that it does not replace the outcome. */
async function keep(rig: Rig, { seed, print, keepsEvidence }: Plan, outcome?: Outcome): Promise<void> {
  if (!keepsEvidence) return;
  try {
    print(`The evidence is stored in ${await keepEvidence(rig, seed, outcome)}`);
  } catch (error) {
    print(`The evidence could not be stored completely: ${String(error)}`);
  }
}
