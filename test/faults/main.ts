import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CRASH_POINTS } from '../support/crash-points.js';
import { APP_FAULTS, crashPointFaults } from './app-faults.js';
import { campaign } from './campaign.js';
import { POSTGRES_FAULTS } from './postgres-faults.js';
import { QUEUE_AND_MAIL_FAULTS } from './queue-and-mail-faults.js';
import { findings, report } from './report.js';
import { orderly } from './subject.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    smoke: { type: 'boolean', default: false },
    faults: { type: 'string', default: '200' },
    orders: { type: 'string', default: '0' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});

const FAULTS = [...APP_FAULTS, ...crashPointFaults(CRASH_POINTS), ...POSTGRES_FAULTS, ...QUEUE_AND_MAIL_FAULTS];
const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);

const seed = Number(values.smoke ? 1 : values.seed);
const { only } = values;
const size = values.smoke
  ? { faultCount: 42, orderCount: 0, faultsARound: 42, calmMs: 3_000, patienceMs: 500 }
  : {
      faultCount: Number(values.faults),
      orderCount: Number(values.orders),
      faultsARound: 60,
      calmMs: 20_000,
      patienceMs: 20_000,
    };

say(`seed ${seed}`);
const outcome = await campaign({
  ...size,
  subject: orderly(CRASH_POINTS),
  seed,
  faults: only ? FAULTS.filter(({ kind }) => kind.includes(only)) : FAULTS,
  clients: 8,
  say,
});
process.stdout.write(`${report(outcome)}\n${findings(outcome)}\n`);
if (values.json) await writeFile(values.json, JSON.stringify(outcome, null, 2));
process.exitCode = outcome.verdicts.some(({ broken }) => broken.length > 0) ? 1 : 0;
