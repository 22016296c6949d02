import { readFile } from 'node:fs/promises';

/** What a process keeps in memory in the first and in the last quarter of a run: the middle of what was seen, in MiB. */
export interface Growth {
  readonly first: number;
  readonly last: number;
}

/** In MiB; undefined when there is no such process, or a system that does not tell. */
export async function residentMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** @param seen in the order of time */
export function growthOf(seen: readonly number[]): Growth {
  const quarter = Math.ceil(seen.length / 4);
  return { first: middle(seen.slice(0, quarter)), last: middle(seen.slice(-quarter)) };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
