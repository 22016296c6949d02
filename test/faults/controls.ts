import { buildWith } from '../support/builds.js';
import { campaign, type Plan } from './campaign.js';
import { isBroken } from './checks.js';
import { PLANTED, type Planted } from './planted.js';
import { orderly } from './system-under-test.js';

const FAULTS_EACH = 12;
/** Printed broken promises per build. */
const PRINTED_MAX = 3;
/** A slow recovery does not prove a bug. */
const NO_PROOF = 'problems';

/** The build without a bug, which must stay green under the faults of all planted bugs. */
const SOUND: Planted = {
  name: 'no planted bug',
  edits: [],
  faults: [...new Set(PLANTED.flatMap(({ faults }) => faults))],
};

/** Runs the campaign on builds with a planted bug. Returns the names of those with the wrong result. */
export async function runControls(plan: Plan, only: string): Promise<string[]> {
  const missed: string[] = [];
  const wanted = [SOUND, ...PLANTED].filter(({ name }) => name.includes(only));
  for (const planted of wanted) {
    const broken = await trial(planted, plan);
    const isRight = planted === SOUND ? broken.length === 0 : broken.length > 0;
    if (!isRight) missed.push(planted.name);
    plan.print(`${broken.length > 0 ? 'red' : 'green'}${isRight ? '' : ', WRONGLY'}: ${planted.name}`);
    for (const promise of broken.slice(0, PRINTED_MAX)) plan.print(`          ${promise}`);
  }
  const bugs = wanted.filter((planted) => planted !== SOUND);
  plan.print(`${bugs.length} planted, ${bugs.filter(({ name }) => !missed.includes(name)).length} detected`);
  if (wanted.length === 0) throw new Error(`There is no planted bug with "${only}" in its name`);
  return missed;
}

/** Returns the broken promises. */
async function trial(planted: Planted, plan: Plan): Promise<string[]> {
  const { name, edits, faults } = planted;
  const main = await buildWith(name.replaceAll(/[^a-z]+/gi, '-'), edits);
  const { verdicts } = await campaign({
    ...plan,
    system: orderly(plan.system.crashPoints, main),
    faults: plan.faults.filter(({ kind }) => faults.some((each) => kind.startsWith(each))),
    faultCount: FAULTS_EACH,
    faultsPerRound: FAULTS_EACH,
    orderCount: 0,
    recoversWithinMs: 10_000,
    quietMs: 75_000,
    keepsEvidence: planted === SOUND,
    keep: async () => undefined,
    print: () => undefined,
  });
  return verdicts
    .filter((verdict) => isBroken(verdict) && !verdict.promise.startsWith(NO_PROOF))
    .map(({ promise, broken }) => `${promise} (${broken?.length})`);
}
