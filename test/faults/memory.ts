import { readFile } from 'node:fs/promises';

/** Median of the resident memory in the first and in the last quarter of a run, in MiB. */
export interface Growth {
  readonly first: number;
  readonly last: number;
}

/** In MiB; undefined when there is no such process or no /proc. */
export async function residentMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** @param samples in the sequence of time */
export function growthOf(samples: readonly number[]): Growth {
  const quarter = Math.ceil(samples.length / 4);
  return { first: median(samples.slice(0, quarter)), last: median(samples.slice(-quarter)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
