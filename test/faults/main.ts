import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CRASH_POINTS } from '../support/crash-points.js';
import { APP_FAULTS, crashPointFaults } from './app-faults.js';
import { campaign, type Plan } from './campaign.js';
import { runControls } from './controls.js';
import { POSTGRES_FAULTS } from './postgres-faults.js';
import { QUEUE_AND_MAIL_FAULTS } from './queue-and-mail-faults.js';
import { findings, report } from './report.js';
import { orderly, tutorial } from './subject.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    smoke: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    tutorial: { type: 'boolean', default: false },
    split: { type: 'boolean', default: false },
    faults: { type: 'string', default: '200' },
    orders: { type: 'string', default: '0' },
    clients: { type: 'string', default: '8' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

const points = values.tutorial ? [] : CRASH_POINTS;
const FAULTS = [...APP_FAULTS, ...crashPointFaults(points), ...POSTGRES_FAULTS, ...QUEUE_AND_MAIL_FAULTS];

const LONG = { faultsARound: 115, calmMs: 20_000, patienceMs: 20_000, recoversWithinMs: 120_000, quietMs: 180_000 };
const SHORT = { faultsARound: 1_000, calmMs: 3_000, patienceMs: 500, recoversWithinMs: 60_000, quietMs: 90_000 };

const plan: Plan = {
  ...(values.smoke || values.planted ? SHORT : LONG),
  topology: values.split ? 'split' : 'whole',
  seed: Number(values.smoke || values.planted ? 1 : values.seed),
  faultCount: values.smoke ? 44 : Number(values.faults),
  orderCount: Number(values.orders),
  subject: values.tutorial ? tutorial() : orderly(CRASH_POINTS),
  endsWhenBroken: !values.tutorial,
  faults: FAULTS,
  clients: Number(values.clients),
  keep: async (outcome) => {
    if (values.json) await writeFile(values.json, JSON.stringify(outcome, null, 2));
  },
  say: (sentence) => void process.stderr.write(`${sentence}\n`),
};

if (spawnSync('redis-server', ['--version']).status !== 0) {
  plan.say('The campaign of faults needs a Redis that it may kill: install redis-server');
  process.exit(1);
}
plan.say(`seed ${plan.seed}`);
if (values.planted) {
  const missed = await runControls(plan, values.only);
  process.exitCode = missed.length > 0 ? 1 : 0;
} else {
  const outcome = await campaign({ ...plan, faults: FAULTS.filter(({ kind }) => kind.includes(values.only)) });
  process.stdout.write(`${report(outcome)}\n${findings(outcome)}\n`);
  process.exitCode = outcome.verdicts.some(({ broken }) => broken.length > 0) ? 1 : 0;
}
