import { setTimeout as pause } from 'node:timers/promises';

const POLL_EVERY_MS = 25;

/**
 * Polls until the condition is met, and returns its result. The deadline is long, so that slow machines do not fail.
 */
export async function until<Found>(
  condition: string,
  poll: () => Found | undefined | false | Promise<Found | undefined | false>,
  withinMs = 60_000,
): Promise<Found> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await poll();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${condition}`);
    await pause(POLL_EVERY_MS);
  }
}
