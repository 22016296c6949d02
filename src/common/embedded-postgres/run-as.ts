import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Whom a program runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account that owns nothing, under which root lets others' programs run. */
export const NOBODY: Account = { uid: 65_534, gid: 65_534 };

const OTHERS_ENTER = 0o001;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether every folder on the way to a path lets the account in. */
export async function isReachableBy({ uid }: Account, path: string): Promise<boolean> {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const { mode, uid: owner } = await stat(folder);
    if (owner !== uid && (mode & OTHERS_ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
