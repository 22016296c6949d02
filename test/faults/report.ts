import { isBroken } from './checks.js';
import { grouped } from './grouped.js';
import type { Injection } from './nemesis.js';
import type { Outcome } from './outcome.js';

/** The report of a campaign as text. */
export function report(outcome: Outcome): string {
  const { verdicts, repeated } = outcome;
  const injections = outcome.injections.filter(({ hasFailed }) => !hasFailed);
  const counted = (effect: Injection['countsAs']) => injections.filter(({ countsAs }) => countsAs === effect).length;
  const drains = outcome.drainsMs.map((ms) => ms / 1000);
  const causes = grouped(
    repeated.flatMap((each) => each.causes),
    (cause) => cause ?? 'unknown',
  );
  const happened = new Set(injections.map(({ kind }) => kind));
  return [
    `${outcome.system}, seed ${outcome.seed}, ${outcome.topology}, queues on ${outcome.queues}; ${outcome.machine}`,
    '',
    heading('Faults', 'times', 'recovery p50', 'p99', 'max'),
    ...[...grouped(injections, ({ kind }) => kind)]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([kind, all]) => row(kind, String(all.length), ...recovery(all))),
    row('all', String(injections.length), ...recovery(injections)),
    row('injected, but did not happen', String(outcome.injections.length - injections.length)),
    row('kinds that happened', `${happened.size} of ${outcome.kinds.length}`),
    '',
    heading('Promises', 'broken'),
    ...verdicts.map(({ promise, broken }) => row(promise, broken === null ? '-' : String(broken.length))),
    '',
    heading('Figures', ''),
    row('orders acknowledged', String(outcome.acknowledged)),
    row('requests without an answer, repeated until there was one', String(outcome.requestsWithoutAnswer)),
    ...Object.entries(outcome.breaks).map(([kind, times]) => row(`  interrupted: ${kind}`, String(times))),
    row('keys that were used with another request', String(outcome.misusedKeys)),
    ...Object.entries(outcome.answers).map(([status, times]) => row(`answers ${status}`, String(times))),
    row('e-mails', String(outcome.mails)),
    row('e-mails that were received more than once', String(repeated.length)),
    ...[...causes].map(([cause, all]) => row(`  because of: ${cause}`, String(all.length))),
    row('SIGKILL of a process', String(counted('sigkill'))),
    row('crashes of PostgreSQL', String(counted('postgres-crash'))),
    row('FLUSHALL', String(counted('flushall'))),
    row('orders per second without faults', outcome.calmRate.toFixed(1)),
    row('orders per second with faults', outcome.faultyRate.toFixed(1)),
    row('from the last fault of a round until no delivery is pending, p50', seconds(quantile(drains, 0.5))),
    row('the same, max', seconds(quantile(drains, 1))),
    ...Object.entries(outcome.memory).map(([name, { first, last }]) =>
      row(`MiB of ${name}, in the first and in the last quarter`, first.toFixed(0), last.toFixed(0)),
    ),
    row('seconds in total', outcome.seconds.toFixed(0)),
    ...(outcome.hasOwnDisk ? [] : ['', 'The disk was never full: only root can mount the file system for this fault.']),
  ].join('\n');
}

/** The broken promises with examples. */
export function findings({ verdicts }: Outcome): string {
  return verdicts
    .filter(isBroken)
    .flatMap(({ promise, broken }) => [
      `\n${promise}: ${broken?.length}`,
      ...(broken ?? []).slice(0, 5).map((each) => `  ${JSON.stringify(each).slice(0, 1_000)}`),
    ])
    .join('\n');
}

function recovery(injections: readonly Injection[]): string[] {
  const times = injections.flatMap(({ healedAt, recoveredAt }) =>
    healedAt !== undefined && recoveredAt !== undefined ? [(recoveredAt - healedAt) / 1000] : [],
  );
  return [0.5, 0.99, 1].map((share) => seconds(quantile(times, share)));
}

function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function seconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} s`;
}

function heading(title: string, ...columns: readonly string[]): string {
  const text = row(title, ...columns);
  return `${text}\n${'-'.repeat(text.length)}`;
}

function row(title: string, ...columns: readonly string[]): string {
  return title.padEnd(72) + columns.map((column) => column.padStart(13)).join('');
}
