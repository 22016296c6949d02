import { until } from '../support/until.js';
import { send } from './http.js';
import type { Load } from './load.js';
import type { Rig } from './rig.js';

/** By then the relay has taken up whatever no queue knows of. */
const TAKEN_UP_WITHIN_MS = 20_000;
const ANSWERS_WITHIN_MS = 30_000;

interface Settled {
  /** What nobody has taken up in time, and what is not done when it should be. */
  readonly stuck: readonly unknown[];
  /** How long it took. */
  readonly drainMs: number;
}

/** Lets everybody finish. */
export async function settle(rig: Rig, load: Load, quietMs: number): Promise<Settled> {
  const { subject } = rig;
  await load.stop();
  const from = Date.now();
  const isNothing = (rows: readonly unknown[]) => rows.length === 0;
  // Only then an operator ends the pauses of what has failed: nothing may depend on it.
  await until('nothing is overdue', async () => isNothing(await subject.overdue(rig)), TAKEN_UP_WITHIN_MS).catch(
    () => undefined,
  );
  const overdue = await subject.overdue(rig);
  await endPauses(rig);
  await until('all is quiet', async () => isNothing(await subject.backlog(rig)), quietMs).catch(() => undefined);
  return { stuck: [...overdue, ...(await subject.backlog(rig))], drainMs: Date.now() - from };
}

async function endPauses({ subject: { hurry }, apps }: Rig): Promise<void> {
  const operated = apps.find((app) => app.serves('/v1/operations'));
  if (!hurry || !operated) return;
  const call = {
    method: 'POST',
    path: hurry.path,
    body: JSON.stringify(hurry.body),
    timeoutMs: ANSWERS_WITHIN_MS,
  } as const;
  await until('an operator is heard', async () => (await send(operated.url, call))?.status === 200);
}
