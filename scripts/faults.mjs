import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, checkNode, installIfStale, ROOT, run } from './setup.mjs';

// Compiles the campaign of faults and runs it, with what it is told on the command line. Several may run at once, each
// in a folder of its own.
checkNode();
installIfStale();
buildIfStale();
const folder = join(ROOT, `.orderly/faults/run-${process.pid}`);
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/faults', '--outDir', folder]);
const main = join(folder, 'test/faults/main.js');
// Ctrl-C is for the campaign, which stops what it has started; this one waits for it.
process.on('SIGINT', () => undefined);
const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
