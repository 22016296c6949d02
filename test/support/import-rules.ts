import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CRUISER = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIGURATION = resolve('.dependency-cruiser.cjs');
const FOLDERS = ['src', 'test', 'bench', 'examples'];
const OUTPUT_MAX_BYTES = 2 ** 28;

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

/** The violations of .dependency-cruiser.cjs in a folder that has the layout of the checkout. */
export interface ImportReport {
  readonly rules: readonly string[];
  /** As `rule: from → to`. */
  readonly violations: readonly string[];
  /** Imports that are part of a cycle between the sub-folders of a room, as `from → to`. */
  readonly folderCycles: readonly string[];
}

/** Runs the same check as `npm run check`, in a separate process, because dependency-cruiser is ESM only. */
export async function importReport(root: string): Promise<ImportReport> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const parameters = [CRUISER, ...folders, '--config', CONFIGURATION, '--output-type', 'json'];
  const cruise = promisify(execFile)(process.execPath, parameters, { cwd: root, maxBuffer: OUTPUT_MAX_BYTES });
  const { modules, summary }: Cruise = JSON.parse((await cruise).stdout);
  if (summary.totalCruised === 0) throw new Error(`There are no sources in ${root}`);
  return {
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    folderCycles: folderCyclesIn(modules),
  };
}

interface FolderImport {
  readonly from: string;
  readonly to: string;
  readonly example: string;
}

/**
 * dependency-cruiser finds cycles between folders as well, but counts the top of a room as one of them: its files
 * import the sub-folders, and are imported by them.
 */
function folderCyclesIn(modules: Cruise['modules']): string[] {
  const imports: FolderImport[] = modules
    .filter(({ source }) => !source.endsWith('.spec.ts'))
    .flatMap(({ source, dependencies }) =>
      dependencies.flatMap(({ resolved }) => {
        const [from, to] = [subFolderOf(source), subFolderOf(resolved)];
        const isInOneRoom = from !== undefined && to !== undefined && from.room === to.room && from.path !== to.path;
        return isInOneRoom ? [{ from: from.path, to: to.path, example: `${source} → ${resolved}` }] : [];
      }),
    );
  return imports.filter(({ from, to }) => leadsTo(from, to, imports)).map(({ example }) => example);
}

function subFolderOf(path: string): { room: string; path: string } | undefined {
  const [, room = '', folder = ''] = /^src\/([^/]+)\/([^/]+)\//.exec(path) ?? [];
  return folder ? { room, path: `${room}/${folder}` } : undefined;
}

function leadsTo(target: string, start: string, imports: readonly FolderImport[], seen = new Set<string>()): boolean {
  if (start === target) return true;
  if (seen.has(start)) return false;
  seen.add(start);
  return imports.some(({ from, to }) => from === start && leadsTo(target, to, imports, seen));
}
