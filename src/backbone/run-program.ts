import { Logger } from '@nestjs/common';
import { StartFailure } from '../common/errors/start-failure.js';
import { createStartUpLogger } from '../common/logging/logger.js';
import type { RunningProgram } from './program.js';

/** Limit for a stop. The next start finds the unfinished deliveries. */
const STOP_MS = 10_000;

interface Started {
  readonly program: RunningProgram;
  /** The text that a terminal shows when the program is open. A program that logs JSON writes a log line instead. */
  readonly banner: (startMs: number) => string | Promise<string>;
}

/**
 * Starts a program, stops it on a signal and ends the process: with 0, or with 1 if the program cannot start, does not
 * stop in time or loses its embedded PostgreSQL.
 * @param name of the program in its log lines
 */
export async function runProgram(name: string, start: () => Promise<Started>): Promise<void> {
  const startedAt = performance.now();
  let program: RunningProgram | undefined;
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
  try {
    const started = await start();
    program = started.program;
    if (isStopping) await close(program);
    else await announce(name, started, Math.round(performance.now() - startedAt));
    void program.postgres?.exited.then((reason) => isStopping || fail(new Error(reason)));
  } catch (error) {
    fail(error);
  }

  async function stop(signal: string): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => fail(new Error(`${signal}: could not stop within ${STOP_MS} ms`)), STOP_MS).unref();
    if (!program) return;
    new Logger(name).log(`Stopping on ${signal}`);
    await close(program);
  }
}

async function announce(name: string, { program, banner }: Started, startMs: number): Promise<void> {
  if (program.settings.log.format === 'pretty') process.stdout.write(await banner(startMs));
  else new Logger(name).log(`${name} is open`, { url: program.url, startMs });
}

async function close(program: RunningProgram): Promise<void> {
  await program.stop().catch(fail);
  process.exit();
}

/** Shows errors that an operator can correct as a text, and all others with their stack. */
function fail(error: unknown): void {
  if (error instanceof StartFailure) process.stderr.write(`${error.message}\n`);
  else createStartUpLogger().fatal(error);
  process.exit(1);
}
