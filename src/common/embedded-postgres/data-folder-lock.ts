import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../logging/describe-error.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';

interface Owner {
  readonly pid: number;
  /** The start time of the process in the format of the system, because pids are reused. */
  readonly since: string;
}

/**
 * Locks a data folder for this process. The lock of a process that has ended is ignored.
 * @returns a function that releases the lock
 * @throws {EmbeddedPostgresFailed} when another process has the lock
 */
export async function lockDataFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  const self: Owner = { pid: process.pid, since: startOf(process.pid) ?? '' };
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    if (await create(path, self)) return () => rm(path, { force: true });
    const text = await readFile(path, 'utf8').catch(() => '');
    const owner = ownerOf(text);
    if (owner && startOf(owner.pid) === owner.since) refuse(folder, owner);
    await removeStale(path, text);
  }
  throw new EmbeddedPostgresFailed(`Cannot lock ${folder}: other processes try it at the same time`);
}

function refuse(folder: string, { pid }: Owner): never {
  throw new EmbeddedPostgresFailed(
    `Another program (process ${pid}) uses the data in ${folder}: stop it, or set DATA_FOLDER to another folder`,
  );
}

async function create(path: string, owner: Owner): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o644);
    await file.writeFile(JSON.stringify(owner));
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw cannotUse(dirname(path), error);
  }
}

export function cannotUse(folder: string, cause: unknown): EmbeddedPostgresFailed {
  const remedy = 'set DATA_FOLDER to a folder that this account may write to';
  return new EmbeddedPostgresFailed(`Cannot use the data folder ${folder} (${codeOf(cause)}): ${remedy}`, { cause });
}

/**
 * Renames the lock before it is removed, so that only one process removes it. A lock that is newer than `text` is put
 * back.
 */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) === text) await rm(aside);
  else await rename(aside, path);
}

function ownerOf(text: string): Owner | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The start time of a process; undefined when no process has this pid. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return startOnLinux(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    if (process.platform !== 'win32')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)])
        .toString()
        .trim();
    process.kill(pid, 0);
    return 'running';
  } catch {
    return undefined;
  }
}

/** The 22nd field, `starttime`; undefined for a zombie process. See proc_pid_stat(5). */
function startOnLinux(stat: string): string | undefined {
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : fields[18];
}

/** The command line of a process; empty when no process has this pid. */
export function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    if (process.platform === 'win32') return execFileSync('tasklist', ['/FI', `PID eq ${pid}`, '/NH']).toString();
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)]).toString();
  } catch {
    return '';
  }
}
