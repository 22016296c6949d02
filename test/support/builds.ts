import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A change of one file of the build: the text must stand in it once. */
export interface Edit {
  /** Below dist/, e.g. `orders/orders.service.js`. */
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** Below the checkout, where packages are found. Each process has a folder of its own in it, called by its id. */
const BUILDS = '.orderly/builds';

/**
 * A copy of the build with some texts replaced: another version of the program, or one with a mistake in it.
 * @returns its main file
 * @throws {Error} when a text is not there, or more than once: the source has moved on, and the edit has to follow
 */
export async function buildWith(name: string, edits: readonly Edit[]): Promise<string> {
  const ours = resolve(BUILDS, String(process.pid));
  const folder = join(ours, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(ours, { recursive: true });
  await forgetTheDead();
  await cp('dist', folder, { recursive: true });
  // The program looks for it above its folder, as it stands above dist/.
  await cp('package.json', join(ours, 'package.json'));
  for (const edit of edits) await writeFile(join(folder, edit.file), await edited(edit, folder));
  return join(folder, 'main.js');
}

/**
 * The file as the edit would have it.
 * @throws {Error} when the text is not there, or more than once
 */
export async function edited({ file, replace, by }: Edit, folder = 'dist'): Promise<string> {
  const parts = (await readFile(join(folder, file), 'utf8')).split(replace);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${replace}`);
  return parts.join(by);
}

/** Removes the builds of processes that have ended; those of others may be running. */
async function forgetTheDead(): Promise<void> {
  const gone = (await readdir(BUILDS)).filter((name) => !isAlive(Number(name)));
  await Promise.all(gone.map((name) => rm(join(BUILDS, name), { recursive: true, force: true })));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
