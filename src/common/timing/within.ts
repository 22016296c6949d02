import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

const logger = new Logger('Goodbyes');

/** Waits for an end, but not longer than that; how it ended does not matter any more. */
export async function within(ms: number, ending: Promise<unknown>): Promise<void> {
  const logged = ending.catch((err: unknown) => logger.debug('Something ended with an error', { err }));
  await Promise.race([logged, pause(ms, undefined, { ref: false })]);
}
