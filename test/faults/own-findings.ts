import { type Subscriber, violationsIn } from '../support/invariants.js';
import { until } from '../support/until.js';
import { send } from './http.js';
import type { Rig } from './rig.js';

const RECONCILES_WITHIN_MS = 60_000;

/** What the rows say of themselves: of each invariant that the subject has, the rows that break it. */
export async function invariantsOf({
  postgres,
  subject,
  apps,
}: Rig): Promise<{ promise: string; broken: unknown[] }[]> {
  const app = apps.find((each) => each.serves('/v1/operations'));
  const names = Object.keys(subject.invariants);
  if (names.length === 0 || !app) return [];
  const answer = await fetch(`${app.url}/v1/operations/subscriptions`);
  const { items } = (await answer.json()) as { items: Subscriber[] };
  const rows = { sql: <Row>(sql: string, parameters?: readonly unknown[]) => postgres.sql<Row>(sql, parameters) };
  const violations = await violationsIn(rows, items, subject.invariants);
  return names.map((name) => ({ promise: name, broken: violations[name] ?? [] }));
}

/** What the program's own reconciler finds; each process makes the checks of its modules. */
export async function ownFindings({ subject, apps }: Rig): Promise<unknown[]> {
  const path = subject.reconciliation;
  if (path === null) return [];
  const asked = apps.filter((app) => app.serves(path));
  for (const app of asked) await send(app.url, { method: 'POST', path, timeoutMs: RECONCILES_WITHIN_MS });
  const report = await until('the shop has looked at itself', async () => {
    const answer = await send(asked[0]?.url ?? '', { method: 'GET', path, timeoutMs: RECONCILES_WITHIN_MS });
    const { running, checks }: Report = JSON.parse(answer?.text ?? '{ "running": true }');
    return !running && checks;
  });
  return report.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding })));
}

interface Report {
  readonly running: boolean;
  readonly checks: readonly { readonly check: string; readonly findings: readonly object[] }[];
}
