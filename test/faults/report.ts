import { isBroken } from './checks.js';
import { grouped } from './grouped.js';
import type { Strike } from './nemesis.js';
import type { Outcome } from './outcome.js';

/** One table of a campaign, as text. */
export function report(outcome: Outcome): string {
  const { verdicts, repeated } = outcome;
  const strikes = outcome.strikes.filter(({ hasFailed }) => !hasFailed);
  const counted = (what: Strike['counts']) => strikes.filter(({ counts }) => counts === what).length;
  const drains = outcome.drainsMs.map((ms) => ms / 1000);
  const causes = grouped(
    repeated.flatMap((each) => each.causes),
    (cause) => cause ?? 'nothing that is known',
  );
  const cameAbout = new Set(strikes.map(({ kind }) => kind));
  return [
    `${outcome.subject}, seed ${outcome.seed}, ${outcome.topology}, queues on ${outcome.queues}; ${outcome.machine}`,
    '',
    heading('Faults', 'times', 'recovery p50', 'p99', 'max'),
    ...[...grouped(strikes, ({ kind }) => kind)]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([kind, all]) => row(kind, String(all.length), ...recovery(all))),
    row('all', String(strikes.length), ...recovery(strikes)),
    row('tried, and did not come about', String(outcome.strikes.length - strikes.length)),
    row('kinds that came about', `${cameAbout.size} of ${outcome.kinds.length}`),
    '',
    heading('Promises', 'broken'),
    ...verdicts.map(({ promise, broken }) => row(promise, broken === null ? '-' : String(broken.length))),
    '',
    heading('Figures', ''),
    row('orders acknowledged', String(outcome.acknowledged)),
    row('requests without an answer, asked again until there was one', String(outcome.requestsWithoutAnswer)),
    ...Object.entries(outcome.breaks).map(([kind, times]) => row(`  broken off: ${kind}`, String(times))),
    row('keys that came with another request', String(outcome.misusedKeys)),
    ...Object.entries(outcome.answers).map(([status, times]) => row(`answers ${status}`, String(times))),
    row('mails', String(outcome.mails)),
    row('mails that came more than once', String(repeated.length)),
    ...[...causes].map(([cause, all]) => row(`  because of: ${cause}`, String(all.length))),
    row('SIGKILL of a process', String(counted('sigkill'))),
    row('crashes of PostgreSQL', String(counted('postgres-crash'))),
    row('FLUSHALL', String(counted('flushall'))),
    row('orders a second without faults', outcome.calmRate.toFixed(1)),
    row('orders a second with faults', outcome.faultyRate.toFixed(1)),
    row('from the last fault of a round until nothing is left to do, p50', seconds(quantile(drains, 0.5))),
    row('the same, max', seconds(quantile(drains, 1))),
    ...Object.entries(outcome.memory).map(([name, { first, last }]) =>
      row(`MiB of ${name}, in the first and in the last quarter`, first.toFixed(0), last.toFixed(0)),
    ),
    row('seconds in all', outcome.seconds.toFixed(0)),
    ...(outcome.hasOwnDisk ? [] : ['', 'The disk was never full: that takes a disk of its own, and root to mount it.']),
  ].join('\n');
}

/** What broke, with examples. */
export function findings({ verdicts }: Outcome): string {
  return verdicts
    .filter(isBroken)
    .flatMap(({ promise, broken }) => [
      `\n${promise}: ${broken?.length}`,
      ...(broken ?? []).slice(0, 5).map((each) => `  ${JSON.stringify(each).slice(0, 1_000)}`),
    ])
    .join('\n');
}

function recovery(strikes: readonly Strike[]): string[] {
  const times = strikes.flatMap(({ healedAt, recoveredAt }) =>
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
  const line = row(title, ...columns);
  return `${line}\n${'-'.repeat(line.length)}`;
}

function row(title: string, ...columns: readonly string[]): string {
  return title.padEnd(72) + columns.map((column) => column.padStart(13)).join('');
}
