import { buildWith } from '../support/builds.js';
import { campaign, type Outcome, type Plan } from './campaign.js';
import { PLANTED, type Planted } from './planted.js';
import { orderly } from './subject.js';

const FAULTS_EACH = 12;
const SAYS_MAX = 3;

/** Runs the campaign on builds with a mistake in them. Gives the names of those that it did not catch. */
export async function runControls(plan: Plan, only = ''): Promise<string[]> {
  const missed: string[] = [];
  const wanted = PLANTED.filter(({ name }) => name.includes(only));
  for (const planted of wanted) {
    const broken = brokenIn(await trial(planted, plan));
    plan.say(`${broken.length > 0 ? 'caught' : 'MISSED'}: ${planted.name}`);
    for (const promise of broken.slice(0, SAYS_MAX)) plan.say(`          ${promise}`);
    if (broken.length === 0) missed.push(planted.name);
  }
  plan.say(`planted ${wanted.length}, caught ${wanted.length - missed.length}`);
  return missed;
}

async function trial({ name, edits, faults }: Planted, plan: Plan): Promise<Outcome> {
  const main = await buildWith(name.replaceAll(' ', '-'), edits);
  return campaign({
    ...plan,
    // Nobody helps it over a mistake.
    subject: { ...orderly(plan.subject.crashPoints, main), hurry: null },
    faults: plan.faults.filter(({ kind }) => faults.some((each) => kind.startsWith(each))),
    faultCount: FAULTS_EACH,
    faultsARound: FAULTS_EACH,
    orderCount: 0,
    recoversWithinMs: 10_000,
    quietMs: 60_000,
    keep: async () => undefined,
    say: () => undefined,
  });
}

/** That a shop was slow to recover is no proof of a mistake. */
function brokenIn({ verdicts }: Outcome): string[] {
  return verdicts
    .filter(({ promise, broken }) => broken.length > 0 && !promise.startsWith('complaints'))
    .map(({ promise, broken }) => `${promise} (${broken.length})`);
}
