import { until } from '../support/until.js';
import { send } from './http.js';
import type { Load } from './load.js';
import type { Rig } from './rig.js';

/** Within this time the relay has re-enqueued all lost deliveries. */
const ENQUEUED_WITHIN_MS = 20_000;
const ANSWERS_WITHIN_MS = 30_000;

interface Drained {
  /** Deliveries that were overdue, or still pending at the end. */
  readonly stuck: readonly unknown[];
  /** Time until no delivery was pending. */
  readonly drainMs: number;
}

/** Stops the load and waits until no delivery is pending. */
export async function drain(rig: Rig, load: Load, quietMs: number): Promise<Drained> {
  const { system } = rig;
  await load.stop();
  const from = Date.now();
  const isEmpty = (rows: readonly unknown[]) => rows.length === 0;
  // Overdue deliveries must be found without help. Only then the pauses of failed deliveries are ended, to save time.
  await until('nothing is overdue', async () => isEmpty(await system.overdue(rig)), ENQUEUED_WITHIN_MS).catch(
    () => undefined,
  );
  const overdue = await system.overdue(rig);
  await endPauses(rig);
  await until('no delivery is pending', async () => isEmpty(await system.backlog(rig)), quietMs).catch(() => undefined);
  return { stuck: [...overdue, ...(await system.backlog(rig))], drainMs: Date.now() - from };
}

async function endPauses({ system: { replayPending }, apps }: Rig): Promise<void> {
  const operated = apps.find((app) => app.serves('/v1/operations'));
  if (!replayPending || !operated) return;
  const call = {
    method: 'POST',
    path: replayPending.path,
    body: JSON.stringify(replayPending.body),
    timeoutMs: ANSWERS_WITHIN_MS,
  } as const;
  await until('the operator API answers', async () => (await send(operated.url, call))?.status === 200);
}
