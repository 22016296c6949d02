import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkNode, installIfStale, ROOT, run } from './setup.mjs';

// Builds examples/sensors if necessary and starts it; with --build it only builds. The build of the shop is not touched.
const EXAMPLE = join(ROOT, 'examples/sensors');
const DIST = join(EXAMPLE, 'dist');
const STAMP = 'built-from';
const SOURCES = ['src/backbone', 'src/common', 'examples/sensors'];
const SETTINGS = ['package-lock.json', 'tsconfig.json', 'examples/sensors/tsconfig.json'];

checkNode();
installIfStale();
buildIfStale();
if (!process.argv.includes('--build')) await import('../examples/sensors/dist/examples/sensors/main.js');

/** Each process builds in a folder of its own and then renames it, so several may build at once. */
function buildIfStale() {
  const wanted = hashOf([...SETTINGS, ...SOURCES.flatMap(sourcesIn)]);
  if (existsSync(join(DIST, STAMP)) && readFileSync(join(DIST, STAMP), 'utf8') === wanted) return;
  process.stderr.write('Building …\n');
  const folder = `${DIST}.${process.pid}`;
  const compile = ['node_modules/typescript/bin/tsc', '-p', 'examples/sensors', '--outDir', folder];
  if (run(process.execPath, compile, { mayFail: true }) !== 0) {
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write('The sources do not compile.\n');
    process.exit(1);
  }
  writeFileSync(join(folder, STAMP), wanted);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(folder, DIST);
}

function sourcesIn(folder) {
  const paths = readdirSync(join(ROOT, folder), { recursive: true });
  return paths
    .filter((path) => /(?<!\.spec)\.ts$/.test(path) && !path.startsWith('dist'))
    .map((path) => join(folder, path))
    .toSorted();
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}
