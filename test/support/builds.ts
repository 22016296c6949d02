import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A change of one file of the build. The replaced text must occur exactly once. */
export interface Edit {
  /** Below dist/, e.g. `orders/orders.service.js`. */
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** Below the checkout, so that node_modules is found. Each process has its own sub-folder, named by its id. */
const BUILDS = '.orderly/builds';

/**
 * Copies the build and replaces some texts: another version of the program, or one with a planted bug.
 * @returns its main file
 * @throws {Error} when a text does not occur exactly once, because the source has changed and the edit must follow
 */
export async function buildWith(name: string, edits: readonly Edit[]): Promise<string> {
  const ours = resolve(BUILDS, String(process.pid));
  const folder = join(ours, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(ours, { recursive: true });
  await removeOldBuilds();
  await cp('dist', folder, { recursive: true });
  // The program reads package.json in the folder above its own.
  await cp('package.json', join(ours, 'package.json'));
  for (const edit of edits) await writeFile(join(folder, edit.file), await edited(edit, folder));
  return join(folder, 'main.js');
}

/**
 * Returns the edited text of a file.
 * @throws {Error} when the text does not occur exactly once
 */
export async function edited({ file, replace, by }: Edit, folder = 'dist'): Promise<string> {
  const parts = (await readFile(join(folder, file), 'utf8')).split(replace);
  if (parts.length !== 2) throw new Error(`${file} contains ${parts.length - 1} times instead of once: ${replace}`);
  return parts.join(by);
}

/** Removes the builds of processes that have ended. */
async function removeOldBuilds(): Promise<void> {
  const old = (await readdir(BUILDS)).filter((name) => !isAlive(Number(name)));
  await Promise.all(old.map((name) => rm(join(BUILDS, name), { recursive: true, force: true })));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
