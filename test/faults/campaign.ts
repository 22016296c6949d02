import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';
import { check, repeatedMails, type Verdict } from './checks.js';
import type { Fault } from './fault.js';
import { send } from './http.js';
import { Load } from './load.js';
import { LoadLog } from './load-log.js';
import { Nemesis, type Strike } from './nemesis.js';
import { Random } from './random.js';
import { buildRig, type Rig, type Topology } from './rig.js';
import type { Subject } from './subject.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SAMPLE_EVERY_MS = 500;

export interface Plan {
  readonly subject: Subject;
  readonly topology: Topology;
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
  /** Whether it ends at the first broken promise, so that its rows can be looked at as they are. */
  readonly endsWhenBroken: boolean;
  /** Hears of the outcome after every round. */
  readonly keep: (outcome: Outcome) => Promise<void>;
  readonly say: (sentence: string) => void;
}

export interface Outcome {
  readonly strikes: readonly Strike[];
  readonly verdicts: readonly Verdict[];
  readonly acknowledged: number;
  readonly requestsWithoutAnswer: number;
  readonly mails: number;
  readonly repeatedMails: number;
  readonly seconds: number;
  /** Orders acknowledged a second, before the first fault and while there were faults. */
  readonly calmRate: number;
  readonly faultyRate: number;
  /** From the end of a round's faults until nothing was left to do, in milliseconds. */
  readonly drainsMs: readonly number[];
  readonly hasOwnDisk: boolean;
}

/** Puts a program through everything, round by round, until there were faults and orders enough or a promise is broken. */
export async function campaign(plan: Plan): Promise<Outcome> {
  const rig = await buildRig(plan.subject, plan.topology);
  const interrupt = () => void rig.stop().finally(() => process.exit(1));
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    return await play(plan, rig);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    await rig.stop();
  }
}

async function play(plan: Plan, rig: Rig): Promise<Outcome> {
  const { subject, faults, clients, patienceMs, recoversWithinMs, say } = plan;
  const random = new Random(plan.seed);
  const log = new LoadLog(join(rig.folder, 'load.ndjson'));
  const load = new Load({ apps: rig.apps, random: random.fork('load'), log, clients, keepsKeys: subject.keepsKeys });
  const nemesis = new Nemesis({ rig, load, random: random.fork('nemesis'), faults, patienceMs, recoversWithinMs });
  const sampler = new Sampler(rig);
  const startedAt = Date.now();
  const drainsMs: number[] = [];
  await load.open();
  await until('everybody has heard what is on sale', async () => (await subject.backlog(rig)).length === 0);
  load.start();
  await pause(plan.calmMs);
  const calmRate = (log.acknowledged * 1000) / plan.calmMs;
  let underFaults = 0;
  let faultyMs = 0;
  for (let left = plan.faultCount; ; left -= plan.faultsARound) {
    const from = Date.now();
    const before = log.acknowledged;
    await nemesis.strike(Math.min(left, plan.faultsARound));
    faultyMs += Date.now() - from;
    underFaults += log.acknowledged - before;
    const isLast = left <= plan.faultsARound;
    if (isLast) await until('there are orders enough', () => log.acknowledged >= plan.orderCount, 3_600_000);
    const { stuck, drainMs } = await settle(rig, load, plan.quietMs);
    drainsMs.push(drainMs);
    const { complaints, strikes } = nemesis;
    const verdicts = await check({ rig, log, strikes, complaints, oversold: sampler.seen, stuck });
    const isBroken = verdicts.some(({ broken }) => broken.length > 0);
    say(`${strikes.length} faults, ${log.acknowledged} orders acknowledged${isBroken ? ', a promise is broken' : ''}`);
    const unknowns = [...log.intents.values()].reduce((sum, each) => sum + each.unknowns, 0);
    const outcome: Outcome = {
      strikes,
      verdicts,
      acknowledged: log.acknowledged,
      requestsWithoutAnswer: unknowns,
      mails: rig.mail.mails.length,
      repeatedMails: repeatedMails(rig),
      seconds: (Date.now() - startedAt) / 1000,
      calmRate,
      faultyRate: (underFaults * 1000) / faultyMs,
      drainsMs,
      hasOwnDisk: rig.hasOwnDisk,
    };
    await plan.keep(outcome);
    if (isLast || (isBroken && plan.endsWhenBroken)) {
      await sampler.stop();
      await log.close();
      return outcome;
    }
    load.start();
  }
}

/** Lets everybody finish, and gives what is not finished then. */
async function settle(rig: Rig, load: Load, quietMs: number): Promise<{ stuck: readonly unknown[]; drainMs: number }> {
  const { subject, apps } = rig;
  await load.stop();
  const from = Date.now();
  const { hurry } = subject;
  const operated = apps.find((app) => app.serves('/v1/operations'));
  if (hurry && operated) {
    const call = { method: 'POST', path: hurry.path, body: JSON.stringify(hurry.body), timeoutMs: 30_000 } as const;
    await until('an operator is heard', async () => (await send(operated.url, call))?.status === 200);
  }
  const isQuiet = async () => (await subject.backlog(rig)).length === 0;
  await until('all is quiet', isQuiet, quietMs).catch(() => undefined);
  return { stuck: await subject.backlog(rig), drainMs: Date.now() - from };
}

/** Looks all the time whether more is sold than there is. */
class Sampler {
  readonly seen: unknown[] = [];
  private isOver = false;
  private readonly sampling: Promise<void>;

  constructor(private readonly rig: Rig) {
    this.sampling = this.sample();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sampling;
  }

  private async sample(): Promise<void> {
    const { postgres, subject } = this.rig;
    while (!this.isOver) {
      this.seen.push(...((await postgres.tryToSee(subject.oversold)) ?? []));
      await pause(SAMPLE_EVERY_MS);
    }
  }
}
