import type { Details, Reach, Row } from './row.js';
import { rounded } from './statistics.js';

const WIDTHS = [44, 11, 11, 12, 8, 8, 8];

/** All rows as text. Each that has something to reach is marked as passed or short. */
export function tableOf(rows: readonly Row[]): string {
  const heading = line('', 'ours', 'theirs', 'unit', 'ratio', 'reach', '');
  return [heading, '-'.repeat(heading.length), ...rows.flatMap(linesOf)].join('\n');
}

function linesOf({ name, what, ours, theirs, unit, ratio, reach, passed, details }: Row): string[] {
  const figures = [figure(ours), figure(theirs), unit, figure(ratio), reachOf(reach), markOf(passed)];
  return [line(name, ...figures), `    ${[what, ...detailsOf(details)].join('; ')}`];
}

function detailsOf(details: Details): string[] {
  return Object.entries(details).map(([name, value]) => `${name} ${value}`);
}

function figure(value: number | null): string {
  if (value === null) return '-';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(rounded(value));
}

function reachOf(reach: Reach | null): string {
  if (!reach) return '';
  return 'atLeast' in reach ? `≥ ${reach.atLeast}` : `≤ ${reach.atMost}`;
}

function markOf(passed: boolean | null): string {
  if (passed === null) return '';
  return passed ? '✓ pass' : '✗ short';
}

function line(name: string, ...figures: readonly string[]): string {
  return [name.padEnd(WIDTHS[0] ?? 0), ...figures.map((text, nr) => text.padStart(WIDTHS[nr + 1] ?? 0))].join('');
}
