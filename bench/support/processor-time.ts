import { readdir, readFile } from 'node:fs/promises';

/** Linux counts the time of a process in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;
const [PARENT, USER_TIME, SYSTEM_TIME] = [1, 11, 12] as const;

/** Seconds of processor time that these processes and their children have used; NaN where there is no /proc. */
export async function processorSeconds(...parents: readonly number[]): Promise<number> {
  const wanted = new Set(parents.map(String));
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(async (name) => ({ name, fields: await fieldsOf(name) })));
  const own = all.filter(({ name, fields }) => wanted.has(name) || wanted.has(fields[PARENT] ?? ''));
  if (own.length === 0) return Number.NaN;
  const ticks = own.map(({ fields }) => Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]));
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

/** Milliseconds of processor time that this process has used. */
export function ownProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The fields after the name of the program, which may contain any character: state, parent, … See proc(5). */
async function fieldsOf(pid: string): Promise<string[]> {
  // The process may have ended.
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
