import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const MODULE = pathToFileURL('dist/backbone/crash-points.js');

/** The crash points of the tested build, read in a separate process, because the build is ESM. */
export const CRASH_POINTS: readonly string[] = JSON.parse(
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { CRASH_POINTS } from '${MODULE}'; console.log(JSON.stringify(CRASH_POINTS))`,
    ],
    { encoding: 'utf8' },
  ),
);
