import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import { breaksByFault } from './breaks.js';
import { check, isBroken } from './checks.js';
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
import { settle } from './settle.js';
import type { Subject } from './subject.js';

const ENOUGH_WITHIN_MS = 3_600_000;

export interface Plan extends Setup {
  readonly subject: Subject;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** So many faults at least, and so many orders acknowledged at least. */
  readonly faultCount: number;
  readonly orderCount: number;
  /** After so many faults all heals, and everything is compared. */
  readonly faultsARound: number;
  readonly clients: number;
  /** Before the first fault, to know the speed without any. */
  readonly calmMs: number;
  readonly patienceMs: number;
  /** A shop that has not recovered so long after a fault is worth a complaint. */
  readonly recoversWithinMs: number;
  /** What is not done so long after the last fault of a round is stuck. */
  readonly quietMs: number;
  /** Whether it ends at the first broken promise. */
  readonly endsWhenBroken: boolean;
  /** Whether what a broken promise left behind is kept. */
  readonly keepsEvidence: boolean;
  /** Hears of the outcome after every round. */
  readonly keep: (outcome: Outcome) => Promise<void>;
  readonly say: (sentence: string) => void;
}

/** Puts a program through everything, round by round, until there were faults and orders enough or a promise is broken. */
export async function campaign(plan: Plan): Promise<Outcome> {
  const rig = await buildRig(plan.subject, plan);
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
    const { seed, subject, clients, faults, patienceMs, recoversWithinMs } = plan;
    const random = new Random(seed);
    this.log = new LoadLog(join(rig.folder, 'load.ndjson'));
    const client = { apps: rig.apps, random: random.fork('load'), log: this.log, clients };
    this.load = new Load({ ...client, keepsKeys: subject.keepsKeys, isBehind: () => this.sampler.isBehind });
    const { load } = this;
    this.nemesis = new Nemesis({ rig, load, random: random.fork('nemesis'), faults, patienceMs, recoversWithinMs });
    this.sampler = new Sampler(rig);
  }

  async play(): Promise<Outcome> {
    const { plan, rig, load, log } = this;
    await load.open();
    await until('everybody has heard what is on sale', async () => (await plan.subject.backlog(rig)).length === 0);
    load.start();
    await pause(plan.calmMs);
    this.calmRate = (log.acknowledged * 1000) / plan.calmMs;
    for (let left = plan.faultCount; ; left -= plan.faultsARound) {
      const isLast = left <= plan.faultsARound;
      const outcome = await this.round(Math.min(left, plan.faultsARound), isLast);
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

  /** So many faults, and at the end of it everything is compared. */
  private async round(faults: number, isLast: boolean): Promise<Outcome> {
    const { plan, rig, load, log, nemesis, sampler } = this;
    const from = Date.now();
    const before = log.acknowledged;
    await nemesis.strike(faults);
    this.faultyMs += Date.now() - from;
    this.underFaults += log.acknowledged - before;
    if (isLast) await until('there are orders enough', () => log.acknowledged >= plan.orderCount, ENOUGH_WITHIN_MS);
    const { stuck, drainMs } = await settle(rig, load, plan.quietMs);
    this.drainsMs.push(drainMs);
    const { complaints, strikes } = nemesis;
    const changedByReplay = isLast && stuck.length === 0 ? await replayAll(rig, plan.quietMs) : null;
    const found = await check({ rig, log, strikes, complaints, oversold: sampler.seen, stuck, changedByReplay });
    plan.say(`${strikes.length} faults, ${log.acknowledged} orders, ${sampler.looks} looks at the stock`);
    return {
      ...found,
      subject: plan.subject.name,
      seed: plan.seed,
      topology: plan.topology,
      queues: plan.queues,
      machine: machine(),
      kinds: plan.faults.map(({ kind }) => kind),
      strikes,
      acknowledged: log.acknowledged,
      requestsWithoutAnswer: [...log.intents.values()].reduce((sum, { unknowns }) => sum + unknowns, 0),
      breaks: breaksByFault(log.breaks, strikes),
      misusedKeys: log.misuses.length,
      answers: Object.fromEntries(log.answers),
      mails: rig.mail.mails.length,
      seconds: (Date.now() - this.startedAt) / 1000,
      calmRate: this.calmRate,
      faultyRate: (this.underFaults * 1000) / this.faultyMs,
      drainsMs: [...this.drainsMs],
      memory: Object.fromEntries([...sampler.memory].map(([name, seen]) => [name, growthOf(seen)])),
      hasOwnDisk: rig.disk !== undefined,
    };
  }
}

/** That it cannot be kept is no reason to forget what went wrong. */
async function keep(rig: Rig, { seed, say, keepsEvidence }: Plan, outcome?: Outcome): Promise<void> {
  if (!keepsEvidence) return;
  try {
    say(`What it left behind is kept in ${await keepEvidence(rig, seed, outcome)}`);
  } catch (error) {
    say(`What it left behind is not kept, or not all of it: ${String(error)}`);
  }
}
