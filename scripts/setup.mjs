import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. Every function below works in it, whatever the current folder is. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** npm's record of the installed packages. npm writes it last, so an interrupted installation does not count. */
const INSTALLED = 'node_modules/.package-lock.json';
/** The build needs development packages, whatever NODE_ENV and the `omit` setting of npm are. */
const INSTALL = ['ci', '--include=dev', '--include=optional', '--include=peer'];
/** The compiler's record of the compiled sources. Each of `tsc`, `nest build` and `nest start --watch` writes it last. */
const BUILD_INFO = '.tsbuildinfo';
/** A change of these needs a new build as well. */
const BUILD_SETTINGS = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
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

/** Installs the packages of the lock file if one that this platform needs is missing or has another version. */
export function installIfStale() {
  if (isInstalled()) return;
  print(existsSync(join(ROOT, 'node_modules')) ? 'Updating packages …' : 'Installing packages (first start only) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  run(npm, [...INSTALL, '--no-audit', '--no-fund', '--loglevel=error']);
}

/**
 * Compiles src/ into dist/ unless dist/ has been compiled from these sources. Each process builds in a folder of its own
 * and then renames it, so several may build at once.
 */
export function buildIfStale() {
  if (isBuilt()) return;
  print('Building …');
  const folder = `dist.${process.pid}`;
  const outputs = ['--outDir', folder, '--tsBuildInfoFile', `${folder}/${BUILD_INFO}`];
  const compile = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...outputs];
  if (run(process.execPath, compile, { mayFail: true }) !== 0) {
    rmSync(join(ROOT, folder), { recursive: true, force: true });
    fail('The sources do not compile.');
  }
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  renameSync(join(ROOT, folder), join(ROOT, 'dist'));
}

/** Runs a program in the checkout. Returns its exit code. */
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

function isInstalled() {
  const { packages: installed } = JSON.parse(read(INSTALLED) || '{"packages":{}}');
  const { packages: wanted } = JSON.parse(read('package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

/**
 * Compares the sources with the hashes in the compiler's record. A stamp of our own would be wrong as soon as
 * `nest start --watch` compiles into the same folder.
 */
function isBuilt() {
  const record = join('dist', BUILD_INFO);
  if (!existsSync(join(ROOT, record))) return false;
  const isNewer = (file) => modifiedAt(file) > modifiedAt(record);
  if (BUILD_SETTINGS.some(isNewer)) return false;
  const { fileNames, fileInfos, ...rest } = JSON.parse(read(record));
  const hasErrors = 'semanticDiagnosticsPerFile' in rest || 'affectedFilesPendingEmit' in rest || 'errors' in rest;
  if (hasErrors) return false;
  const compiled = new Map();
  for (const [index, name] of fileNames.entries())
    if (name.startsWith('../src/'))
      compiled.set(name.slice('../'.length), fileInfos[index].version ?? fileInfos[index]);
  const sources = compiledSources();
  const isCurrent = (file) => compiled.get(file) === hashOf(file) && existsSync(join(ROOT, outputOf(file)));
  return sources.length === compiled.size && sources.every(isCurrent);
}

/** The files that tsconfig.build.json includes. */
function compiledSources() {
  const entries = readdirSync(join(ROOT, 'src'), { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const paths = files.map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll(sep, '/'));
  return paths.filter((path) => !path.endsWith('.spec.ts') && !path.includes('/testing/'));
}

function outputOf(source) {
  return source.replace(/^src/, 'dist').replace(/ts$/, 'js');
}

function hashOf(file) {
  return createHash('sha256').update(read(file)).digest('hex');
}

function modifiedAt(file) {
  return statSync(join(ROOT, file)).mtimeMs;
}

function read(file) {
  return existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '';
}

function print(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  print(sentence);
  process.exit(1);
}
