import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { buildWith } from '../support/builds.js';
import { CRASH_POINTS } from '../support/crash-points.js';
import { APP_FAULTS, crashPointFaults } from './app-faults.js';
import { campaign, type Plan } from './campaign.js';
import { isBroken } from './checks.js';
import { runControls } from './controls.js';
import { type Options, readOptions } from './options.js';
import { POSTGRES_FAULTS } from './postgres-faults.js';
import { QUEUE_AND_MAIL_FAULTS } from './queue-and-mail-faults.js';
import { findings, report } from './report.js';
import { orderly, tutorial } from './system-under-test.js';

const LONG = { faultsPerRound: 115, calmMs: 20_000, patienceMs: 20_000, recoversWithinMs: 120_000, quietMs: 180_000 };
/** Faults follow each other quickly, so that a delivery may lose its lease more than once. */
const SHORT = { faultsPerRound: 1_000, calmMs: 3_000, patienceMs: 500, recoversWithinMs: 240_000, quietMs: 90_000 };
const SMOKE_FAULTS = 46;

const print = (sentence: string) => void process.stderr.write(`${sentence}\n`);

try {
  const options = readOptions();
  if (spawnSync('redis-server', ['--version']).status !== 0)
    throw new TypeError('The fault campaign starts and kills its own Redis: install redis-server');
  process.exitCode = (await run(options)) ? 0 : 1;
} catch (error) {
  print(error instanceof TypeError ? error.message : String((error as Error).stack));
  // All servers are stopped, but clients may still be waiting for answers.
  process.exit(2);
}

/** Returns whether every promise was kept. */
async function run(options: Options): Promise<boolean> {
  const plan = await planOf(options);
  print(`seed ${plan.seed}, ${plan.topology}, queues on ${plan.queues}`);
  if (options.planted) return (await runControls(plan, options.only)).length === 0;
  const outcome = await campaign(plan);
  process.stdout.write(`${report(outcome)}\n${findings(outcome)}\n`);
  return !outcome.verdicts.some(isBroken);
}

async function planOf({ smoke, planted, only, json, ...options }: Options): Promise<Plan> {
  // A copy of the build, because dist/ may be rebuilt during the campaign.
  const system = options.tutorial ? tutorial() : orderly(CRASH_POINTS, await buildWith('campaign', []));
  const all = [...APP_FAULTS, ...crashPointFaults(system.crashPoints), ...POSTGRES_FAULTS, ...QUEUE_AND_MAIL_FAULTS];
  const possible = all.filter(({ target }) => target !== 'redis' || options.queues === 'redis');
  const faults = planted ? possible : possible.filter(({ kind }) => kind.includes(only));
  if (faults.length === 0) throw new TypeError(`There is no kind of fault with "${only}" in its name`);
  return {
    ...(smoke || planted ? SHORT : LONG),
    seed: options.seed,
    topology: options.tutorial ? 'whole' : options.topology,
    queues: options.queues,
    clients: options.clients,
    faultCount: smoke ? SMOKE_FAULTS : options.faults,
    orderCount: options.orders,
    system,
    faults,
    endsWhenBroken: !options.tutorial,
    keepsEvidence: true,
    keep: async (outcome) => {
      if (json) await writeFile(json, JSON.stringify(outcome, null, 2));
    },
    print,
  };
}
