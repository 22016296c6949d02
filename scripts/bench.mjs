import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale, checkNode, installIfStale, ROOT, run } from './setup.mjs';

// Compiles the benchmarks and runs them with the arguments of this command.
checkNode();
installIfStale();
buildIfStale();
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench']);
const main = join(ROOT, '.orderly/bench/bench/main.js');
// Ctrl-C also reaches the benchmarks, which then stop their servers; this process waits for them.
process.on('SIGINT', () => undefined);
const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
