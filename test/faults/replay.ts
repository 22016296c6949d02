import type { Subscriber } from '../support/invariants.js';
import { until } from '../support/until.js';
import type { App } from './app.js';
import { send } from './http.js';
import type { Rig } from './rig.js';

const ANSWERS_WITHIN_MS = 60_000;
const SUBSCRIPTIONS = '/v1/operations/subscriptions';
const BODY = JSON.stringify({ reason: 'A replay must not change anything' });
const TIMES = 2;

/** Every subscriber of the system, from its operator API. */
export function subscribersOf({ apps }: Rig): Promise<Subscriber[]> {
  return until('the operator API lists the subscribers', async () => {
    const call = { method: 'GET', path: SUBSCRIPTIONS, timeoutMs: ANSWERS_WITHIN_MS } as const;
    const answer = await send(operated(apps).url, call);
    return answer?.status === 200 && (JSON.parse(answer.text).items as Subscriber[]);
  });
}

/**
 * Replays the whole history for every subscriber, more than once. Returns all differences; null: the system has no
 * replay.
 */
export async function replayAll(rig: Rig, quietMs: number): Promise<unknown[] | null> {
  const { apps, system, mail } = rig;
  if (system.replayed === null) return null;
  const before = await sumsOf(rig, system.replayed);
  const mails = mail.mails.length;
  const subscribers = await subscribersOf(rig);
  let considered = 0;
  for (let time = 1; time <= TIMES; time += 1) {
    for (const { name } of subscribers) considered += await replay(operated(apps), name);
    const isQuiet = async () => (await system.backlog(rig)).length === 0;
    await until('no delivery is pending', isQuiet, quietMs).catch(() => undefined);
  }
  const after = await sumsOf(rig, system.replayed);
  return [
    ...[...after].filter(([table, sum]) => sum !== before.get(table)).map(([table]) => ({ table })),
    ...mail.mails.slice(mails).map(({ to, messageId }) => ({ to, messageId })),
    ...(await system.backlog(rig)),
    ...(considered === 0 ? ['There was nothing to replay'] : []),
  ];
}

/** Returns the number of events that were considered. */
async function replay({ url }: App, subscriber: string): Promise<number> {
  const path = `${SUBSCRIPTIONS}/${subscriber}/replay`;
  const call = { method: 'POST', path, body: BODY, timeoutMs: ANSWERS_WITHIN_MS } as const;
  const { text } = await until(`${subscriber} is replayed`, async () => {
    const answer = await send(url, call);
    return answer?.status === 200 && answer;
  });
  return JSON.parse(text).considered;
}

/** A checksum of all rows of each table, independent of their sequence. */
async function sumsOf({ postgres }: Rig, schemas: readonly string[]): Promise<Map<string, string>> {
  const tables = await postgres.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1`,
    [schemas],
  );
  const sums = new Map<string, string>();
  for (const { name } of tables) {
    const rows = `SELECT concat(count(*), ' ', sum(hashtextextended(t::text, 0))) AS sum FROM ${name} t`;
    const [row] = await postgres.sql<{ sum: string }>(rows);
    sums.set(name, row?.sum ?? '');
  }
  return sums;
}

function operated(apps: readonly App[]): App {
  const app = apps.find((each) => each.serves(SUBSCRIPTIONS));
  if (!app) throw new Error('No process serves the operator API');
  return app;
}
