import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. Everything below is done in it, from wherever it is called. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What npm has installed, by its own account: written last, so what was interrupted does not count. */
const INSTALLED = 'node_modules/.package-lock.json';
const BUILD_STAMP = 'dist/.orderly-built';
const RANGES = [
  [20, 19],
  [22, 13],
  [24, 11],
];

/** Ends the process with a sentence when Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const range = RANGES.find(([known]) => known === major);
  if (range ? minor >= range[1] : major > 24) return;
  fail(`Orderly needs Node 20.19, 22.13 or 24.11, or a newer version of these; this is ${process.versions.node}.`);
}

/** Installs the packages of the lock file when they are not there, or are those of another one. */
export function installIfStale() {
  if (isInstalled()) return;
  say(existsSync(join(ROOT, 'node_modules')) ? 'Updating packages …' : 'Installing packages (first start only) …');
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compiles src/ into dist/ when they differ. Several at once do no harm: each builds aside and the last one counts. */
export function buildIfStale() {
  const sources = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...filesIn('src')];
  const wanted = hashOf(sources);
  if (read(BUILD_STAMP) === wanted) return;
  say('Building …');
  const aside = `dist.${process.pid}`;
  const compile = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', aside];
  if (run(process.execPath, compile, { mayFail: true }) !== 0) {
    rmSync(join(ROOT, aside), { recursive: true, force: true });
    fail('The sources do not compile.');
  }
  writeFileSync(join(ROOT, aside, '.orderly-built'), wanted);
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  renameSync(join(ROOT, aside), join(ROOT, 'dist'));
}

/** @returns what a program ended with */
export function run(program, args, { mayFail = false } = {}) {
  const { status, error, signal } = spawnSync(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: program.endsWith('.cmd'),
  });
  if (error) fail(`${program} could not be run: ${error.message}`);
  if (status !== 0 && !mayFail) fail(`${program} ${args.join(' ')} failed (${signal ?? status}).`);
  return status ?? 1;
}

/** Every package that this platform cannot do without is there, in the version of the lock file. */
function isInstalled() {
  const { packages: installed } = JSON.parse(read(INSTALLED) || '{"packages":{}}');
  const { packages: wanted } = JSON.parse(read('package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function filesIn(folder) {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true });
  const files = entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'),
  );
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length + 1)).toSorted();
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

function read(file) {
  return existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '';
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  say(sentence);
  process.exit(1);
}
