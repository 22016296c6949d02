import type { Subscriber } from '../support/invariants.js';
import { until } from '../support/until.js';
import type { App } from './app.js';
import { send } from './http.js';
import type { Rig } from './rig.js';

const ANSWERS_WITHIN_MS = 60_000;
const SUBSCRIPTIONS = '/v1/operations/subscriptions';
const ORDER = JSON.stringify({ reason: 'Nothing may come of it' });
const TIMES = 2;

/** Every subscriber of the shop, as it tells of itself. */
export function subscribersOf({ apps }: Rig): Promise<Subscriber[]> {
  return until('the shop has named its subscribers', async () => {
    const call = { method: 'GET', path: SUBSCRIPTIONS, timeoutMs: ANSWERS_WITHIN_MS } as const;
    const answer = await send(operated(apps).url, call);
    return answer?.status === 200 && (JSON.parse(answer.text).items as Subscriber[]);
  });
}

/**
 * Has everything replayed that has ever happened, for everybody, more than once. Gives what is not as it was before;
 * null: nobody can be asked to.
 */
export async function replayAll(rig: Rig, quietMs: number): Promise<unknown[] | null> {
  const { apps, subject, mail } = rig;
  if (subject.replayed === null) return null;
  const before = await sumsOf(rig, subject.replayed);
  const mails = mail.mails.length;
  const subscribers = await subscribersOf(rig);
  let considered = 0;
  for (let time = 1; time <= TIMES; time += 1) {
    for (const { name } of subscribers) considered += await replay(operated(apps), name);
    const isQuiet = async () => (await subject.backlog(rig)).length === 0;
    await until('all is quiet again', isQuiet, quietMs).catch(() => undefined);
  }
  const after = await sumsOf(rig, subject.replayed);
  return [
    ...[...after].filter(([table, sum]) => sum !== before.get(table)).map(([table]) => ({ table })),
    ...mail.mails.slice(mails).map(({ to, messageId }) => ({ to, messageId })),
    ...(await subject.backlog(rig)),
    ...(considered === 0 ? ['Nothing was there to be replayed'] : []),
  ];
}

/** Gives how many events it has looked at. */
async function replay({ url }: App, subscriber: string): Promise<number> {
  const path = `${SUBSCRIPTIONS}/${subscriber}/replay`;
  const call = { method: 'POST', path, body: ORDER, timeoutMs: ANSWERS_WITHIN_MS } as const;
  const { text } = await until(`${subscriber} is replayed`, async () => {
    const answer = await send(url, call);
    return answer?.status === 200 && answer;
  });
  return JSON.parse(text).considered;
}

/** A sum over all rows of every table, in which each column counts and their order does not. */
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
  if (!app) throw new Error('Nobody serves operators');
  return app;
}
