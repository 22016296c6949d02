import type { Details, Row, Target } from './row.js';
import { rounded } from './statistics.js';

const WIDTHS = [44, 11, 11, 12, 8, 8, 8];

/** All rows as text. Rows with a target are marked as passed or missed. */
export function tableOf(rows: readonly Row[]): string {
  const heading = rowText('', 'Orderly', 'reference', 'unit', 'ratio', 'target', '');
  return [heading, '-'.repeat(heading.length), ...rows.flatMap(linesOf)].join('\n');
}

function linesOf({ name, description, ours, theirs, unit, ratio, target, passed, details }: Row): string[] {
  const figures = [figure(ours), figure(theirs), unit, figure(ratio), targetText(target), markOf(passed)];
  return [rowText(name, ...figures), `    ${[description, ...detailsOf(details)].join('; ')}`];
}

function detailsOf(details: Details): string[] {
  return Object.entries(details).map(([name, value]) => `${name} ${value}`);
}

function figure(value: number | null): string {
  if (value === null) return '-';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(rounded(value));
}

function targetText(target: Target | null): string {
  if (!target) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

function markOf(passed: boolean | null): string {
  if (passed === null) return '';
  return passed ? '✓ pass' : '✗ miss';
}

function rowText(name: string, ...figures: readonly string[]): string {
  return [name.padEnd(WIDTHS[0] ?? 0), ...figures.map((text, nr) => text.padStart(WIDTHS[nr + 1] ?? 0))].join('');
}
