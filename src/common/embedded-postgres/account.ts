import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The account of the operating system under which a program runs. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The unprivileged account `nobody`, under which root runs programs. */
export const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** The execute permission for others, which lets every account enter a folder. */
const OTHERS_EXECUTE = 0o001;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether the account may enter every folder above the path. */
export async function isReachableBy({ uid }: Account, path: string): Promise<boolean> {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const { mode, uid: owner } = await stat(folder);
    if (owner !== uid && (mode & OTHERS_EXECUTE) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
