import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkNode, installIfStale, ROOT } from './setup.mjs';

// All checks that a change must pass besides the tests. The next checks run even if one fails.
const { values } = parseArgs({ options: { report: { type: 'string' } } });
const scratch = mkdtempSync(join(tmpdir(), 'orderly-check-'));
const openApi = join(scratch, 'openapi.json');
const cruised = ['src', 'test', 'bench', 'examples'].filter((folder) => existsSync(join(ROOT, folder)));

const CHECKS = [
  { name: 'format', runs: [['@biomejs/biome/bin/biome', 'check', '.']], remedy: 'npm run format' },
  {
    name: 'lint',
    runs: [['oxlint/bin/oxlint']],
    remedy: 'npm run lint -- --fix applies the safe fixes; do the rest by hand',
  },
  { name: 'types', runs: [['typescript/bin/tsc', '--noEmit']], remedy: 'correct the errors that the compiler reports' },
  {
    name: 'boundaries',
    runs: [['dependency-cruiser/bin/dependency-cruise.mjs', ...cruised, '--output-type', 'err-long']],
    remedy: 'each violation above states the alternative',
  },
  { name: 'unused code', runs: [['knip/bin/knip.js']], remedy: 'delete it, or do not export it' },
  { name: 'generated docs', runs: [['../scripts/docs.mjs', '--check']], remedy: 'npm run docs' },
  {
    name: 'OpenAPI',
    runs: [
      ['../scripts/open-api.mjs', openApi],
      ['@redocly/cli/bin/cli.js', 'lint', openApi],
    ],
    remedy: 'correct the descriptions in the controller and its schemas',
  },
  {
    name: 'AsyncAPI',
    runs: [['@redocly/cli/bin/cli.js', 'lint', 'docs/asyncapi.json']],
    remedy: 'correct src/backbone/schemas/async-api.ts, then npm run docs',
  },
];

/** Checks send nothing over the network: turns off the telemetry and the update check of Redocly. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1', FORCE_COLOR: '0' };

checkNode();
installIfStale();

const failed = [];
for (const check of CHECKS) {
  const startedAt = performance.now();
  const { ok, output } = await passes(check);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${ok ? '✓' : '✗'} ${check.name.padEnd(16)}${seconds.padStart(5)} s`);
  if (ok) continue;
  failed.push(check);
  console.log(`\n${output.trim()}\n`);
}
rmSync(scratch, { recursive: true, force: true });

const passed = CHECKS.length - failed.length;
console.log(`\n${passed} of ${CHECKS.length} checks passed.`);
for (const { name, remedy } of failed) console.log(`  ${name}: ${remedy}`);
if (values.report) writeFileSync(values.report, JSON.stringify({ passed, failed: failed.length }));
process.exitCode = failed.length > 0 ? 1 : 0;

/** Runs the programs of a check until one fails. Their output is returned only in that case. */
async function passes({ runs }) {
  const outputs = [];
  for (const [program, ...parameters] of runs) {
    const { code, output } = await run(join(ROOT, 'node_modules', program), parameters);
    outputs.push(output);
    if (code !== 0) return { ok: false, output: outputs.join('') };
  }
  return { ok: true, output: '' };
}

function run(program, parameters) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...parameters], { cwd: ROOT, env: { ...process.env, ...QUIET } });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => chunks.push(Buffer.from(error.message)));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
