import { violationsIn } from '../support/invariants.js';
import { until } from '../support/until.js';
import { send } from './http.js';
import { subscribersOf } from './replay.js';
import type { Rig } from './rig.js';

const ANSWERS_WITHIN_MS = 60_000;

/** What the rows say of themselves: of each invariant that the subject has, the rows that break it. */
export async function invariantsOf(rig: Rig): Promise<{ promise: string; broken: unknown[] }[]> {
  const { postgres, subject } = rig;
  const names = Object.keys(subject.invariants);
  if (names.length === 0) return [];
  const violations = await violationsIn(postgres, await subscribersOf(rig), subject.invariants);
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
