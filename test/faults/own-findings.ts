import { type Subscriber, violationsIn } from '../support/invariants.js';
import { until } from '../support/until.js';
import { send } from './http.js';
import type { Rig } from './rig.js';

const ANSWERS_WITHIN_MS = 60_000;

/** What the rows say of themselves: of each invariant that the subject has, the rows that break it. */
export async function invariantsOf({
  postgres,
  subject,
  apps,
}: Rig): Promise<{ promise: string; broken: unknown[] }[]> {
  const app = apps.find((each) => each.serves('/v1/operations'));
  const names = Object.keys(subject.invariants);
  if (names.length === 0 || !app) return [];
  const items = await until('the shop has named its subscribers', async () => {
    const call = { method: 'GET', path: '/v1/operations/subscriptions', timeoutMs: ANSWERS_WITHIN_MS } as const;
    const answer = await send(app.url, call);
    return answer?.status === 200 && (JSON.parse(answer.text).items as Subscriber[]);
  });
  const rows = { sql: <Row>(sql: string, parameters?: readonly unknown[]) => postgres.sql<Row>(sql, parameters) };
  const violations = await violationsIn(rows, items, subject.invariants);
  return names.map((name) => ({ promise: name, broken: violations[name] ?? [] }));
}

/** What the program's own reconciler finds; each process makes the checks of its modules. */
export async function ownFindings({ subject, apps, postgres }: Rig): Promise<unknown[] | null> {
  const path = subject.reconciliation;
  if (path === null) return null;
  const asked = apps.filter((app) => app.serves(path));
  const [now] = await postgres.sql<{ now: Date }>('SELECT clock_timestamp() AS now');
  const checks = await until('the shop has looked at itself', async () => {
    for (const app of asked) await send(app.url, { method: 'POST', path, timeoutMs: ANSWERS_WITHIN_MS });
    const answer = await send(asked[0]?.url ?? '', { method: 'GET', path, timeoutMs: ANSWERS_WITHIN_MS });
    if (answer?.status !== 200) return undefined;
    const report: Report = JSON.parse(answer.text);
    const isNew = ({ finishedAt }: Check) =>
      finishedAt !== null && now !== undefined && Date.parse(finishedAt) > now.now.getTime();
    return report.checks.length > 0 && report.checks.every(isNew) && report.checks;
  });
  return checks.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding })));
}

interface Check {
  readonly check: string;
  readonly finishedAt: string | null;
  readonly findings: readonly object[];
}

interface Report {
  readonly checks: readonly Check[];
}
