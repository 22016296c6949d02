import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale, checkNode, installIfStale, ROOT, run } from './setup.mjs';

// Compiles the campaign of faults and runs it, with what it is told on the command line.
checkNode();
installIfStale();
buildIfStale();
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/faults']);
const main = join(ROOT, '.orderly/faults/test/faults/main.js');
// Ctrl-C is for the campaign, which stops what it has started; this one waits for it.
process.on('SIGINT', () => undefined);
const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
