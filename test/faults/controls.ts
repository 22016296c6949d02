import { buildWith } from '../support/builds.js';
import { campaign, type Plan } from './campaign.js';
import { isBroken } from './checks.js';
import { PLANTED, type Planted } from './planted.js';
import { orderly } from './subject.js';

const FAULTS_EACH = 12;
const SAYS_MAX = 3;
/** That it was slow to recover is no proof of a mistake. */
const NO_PROOF = 'complaints';

/** Without a mistake nothing may turn red, whatever the faults are. */
const SOUND: Planted = {
  name: 'no mistake at all',
  edits: [],
  faults: [...new Set(PLANTED.flatMap(({ faults }) => faults))],
};

/** Runs the campaign on builds with a mistake in them. Gives the names of those that it took for something else. */
export async function runControls(plan: Plan, only: string): Promise<string[]> {
  const missed: string[] = [];
  const wanted = [SOUND, ...PLANTED].filter(({ name }) => name.includes(only));
  for (const planted of wanted) {
    const broken = await trial(planted, plan);
    const isRight = planted === SOUND ? broken.length === 0 : broken.length > 0;
    if (!isRight) missed.push(planted.name);
    plan.say(`${broken.length > 0 ? 'red' : 'green'}${isRight ? '' : ', WRONGLY'}: ${planted.name}`);
    for (const promise of broken.slice(0, SAYS_MAX)) plan.say(`          ${promise}`);
  }
  const mistakes = wanted.filter((planted) => planted !== SOUND);
  plan.say(`planted ${mistakes.length}, caught ${mistakes.filter(({ name }) => !missed.includes(name)).length}`);
  if (wanted.length === 0) throw new Error(`There is no planted mistake with "${only}" in its name`);
  return missed;
}

/** Gives the promises that were broken. */
async function trial(planted: Planted, plan: Plan): Promise<string[]> {
  const { name, edits, faults } = planted;
  const main = await buildWith(name.replaceAll(/[^a-z]+/gi, '-'), edits);
  const { verdicts } = await campaign({
    ...plan,
    subject: orderly(plan.subject.crashPoints, main),
    faults: plan.faults.filter(({ kind }) => faults.some((each) => kind.startsWith(each))),
    faultCount: FAULTS_EACH,
    faultsARound: FAULTS_EACH,
    orderCount: 0,
    recoversWithinMs: 10_000,
    quietMs: 75_000,
    keepsEvidence: planted === SOUND,
    keep: async () => undefined,
    say: () => undefined,
  });
  return verdicts
    .filter((verdict) => isBroken(verdict) && !verdict.promise.startsWith(NO_PROOF))
    .map(({ promise, broken }) => `${promise} (${broken?.length})`);
}
