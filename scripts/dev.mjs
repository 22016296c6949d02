import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale, checkNode, installIfStale, ROOT } from './setup.mjs';

// Runs `nest start --watch`: compiles after each change and restarts the program. The embedded PostgreSQL is started here
// and not by the program, because the Nest CLI stops the program together with all its descendants, the database first.

/** The CLI forwards a signal to the program. One that arrives during a restart has to be repeated. */
const REPEAT_SIGNAL_MS = 500;

checkNode();
installIfStale();
buildIfStale();
const { readConfig, readEnvironment } = await import('../dist/config.js');
const { startEmbeddedPostgres } = await import('../dist/common/embedded-postgres/embedded-postgres.js');

let nest = null;
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

// Without the variables of `.env`, which the program reads again at each restart.
const environment = { ...process.env };
const postgres = await startDatabase();
if (isStopping) await end(0);
if (postgres) environment.DATABASE_URL = postgres.url;
nest = spawn(process.execPath, nestArguments(), { cwd: ROOT, env: environment, stdio: 'inherit' });
nest.on('exit', (code) => void end(code ?? 1));
void postgres?.exited.then((reason) => {
  if (isStopping) return;
  process.stderr.write(`${reason}\n`);
  stop();
});

async function startDatabase() {
  try {
    const { url, dataFolder } = readConfig(readEnvironment()).database;
    if (url !== 'embedded') return null;
    const database = await startEmbeddedPostgres({ dataFolder });
    process.stderr.write(`Embedded PostgreSQL ${database.version} runs until Ctrl-C; data in ${database.dataFolder}\n`);
    return database;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}

/** The CLI starts the program through a shell, which does not forward signals. With `exec` the program replaces the shell. */
function nestArguments() {
  const node = `"${process.execPath}"`;
  const program = process.platform === 'win32' ? node : `exec ${node}`;
  const cli = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  return [cli, 'start', '--watch', '--preserveWatchOutput', '--exec', program, ...process.argv.slice(2)];
}

function stop() {
  if (isStopping) return;
  isStopping = true;
  nest?.kill('SIGTERM');
  setInterval(() => nest?.kill('SIGTERM'), REPEAT_SIGNAL_MS).unref();
}

async function end(code) {
  isStopping = true;
  await postgres?.stop();
  process.exit(code);
}
