import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CRUISER = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIGURATION = resolve('.dependency-cruiser.cjs');
const FOLDERS = ['src', 'test', 'bench', 'examples'];
const OUTPUT_MAX_BYTES = 2 ** 28;

interface Summary {
  readonly totalCruised: number;
  readonly violations: readonly {
    readonly from: string;
    readonly to: string;
    readonly rule: { readonly name: string };
  }[];
  readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
}

/** What .dependency-cruiser.cjs says of a folder that is laid out like the checkout. */
export interface ImportReport {
  readonly rules: readonly string[];
  /** As `rule: from → to`. */
  readonly violations: readonly string[];
}

/** The same look at the imports as `npm run check` takes; in a program of its own, because the cruiser is ESM only. */
export async function importReport(root: string): Promise<ImportReport> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const parameters = [CRUISER, ...folders, '--config', CONFIGURATION, '--output-type', 'json'];
  const cruise = promisify(execFile)(process.execPath, parameters, { cwd: root, maxBuffer: OUTPUT_MAX_BYTES });
  const { totalCruised, violations, ruleSetUsed }: Summary = JSON.parse((await cruise).stdout).summary;
  if (totalCruised === 0) throw new Error(`There are no sources in ${root}`);
  return {
    rules: ruleSetUsed.forbidden.map(({ name }) => name),
    violations: violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  };
}
