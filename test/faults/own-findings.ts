import { violationsIn } from '../support/invariants.js';
import { until } from '../support/until.js';
import { send } from './http.js';
import { subscribersOf } from './replay.js';
import type { Rig } from './rig.js';

const ANSWERS_WITHIN_MS = 60_000;

/** For each invariant of the system, the rows that violate it. */
export async function invariantsOf(rig: Rig): Promise<{ promise: string; broken: unknown[] }[]> {
  const { postgres, system } = rig;
  const names = Object.keys(system.invariants);
  if (names.length === 0) return [];
  const violations = await violationsIn(postgres, await subscribersOf(rig), system.invariants);
  return names.map((name) => ({ promise: name, broken: violations[name] ?? [] }));
}

/** The findings of the reconciliation of the system. Each process runs the checks of its modules. */
export async function ownFindings({ system, apps, postgres }: Rig): Promise<unknown[] | null> {
  const path = system.reconciliation;
  if (path === null) return null;
  const serving = apps.filter((app) => app.serves(path));
  const [now] = await postgres.sql<{ now: Date }>('SELECT clock_timestamp() AS now');
  const checks = await until('the reconciliation has run', async () => {
    for (const app of serving) await send(app.url, { method: 'POST', path, timeoutMs: ANSWERS_WITHIN_MS });
    const answer = await send(serving[0]?.url ?? '', { method: 'GET', path, timeoutMs: ANSWERS_WITHIN_MS });
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
