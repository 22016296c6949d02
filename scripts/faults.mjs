import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, checkNode, installIfStale, ROOT, run } from './setup.mjs';

// Compiles the fault campaign and runs it with the arguments of this command. Several campaigns may run at the same
// time, each in its own folder.
checkNode();
installIfStale();
buildIfStale();
const folder = join(ROOT, `.orderly/faults/run-${process.pid}`);
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/faults', '--outDir', folder]);
const main = join(folder, 'test/faults/main.js');
// Ctrl-C also reaches the campaign, which then stops its servers; this process waits for it.
process.on('SIGINT', () => undefined);
const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
