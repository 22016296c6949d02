import { Client } from './client.js';
import type { Details } from './row.js';
import { median, quantile, rounded } from './statistics.js';

export interface LoadOptions {
  /** Clients take turns at them. */
  readonly urls: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  /** Made anew for each request where no two may be alike, or drawn from those that were made before. */
  readonly next: () => Buffer;
  /** The only status that is a success; anything else ends the benchmark. */
  readonly expects: number;
}

export interface LoadOutcome {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The median of the slowest client by that of the fastest. */
  readonly spread: number;
}

/** Clients that ask again as soon as they have their answers, for some seconds. */
export async function load(options: LoadOptions): Promise<LoadOutcome> {
  const { urls, seconds } = options;
  const clients = await Promise.all(
    Array.from({ length: options.clients }, (_, nr) => Client.connect(urls[nr % urls.length] ?? '')),
  );
  try {
    const start = performance.now();
    const times = await Promise.all(clients.map((client) => ask(client, options, start + seconds * 1_000)));
    const all = times.flat();
    const elapsed = (performance.now() - start) / 1_000;
    const medians = times.filter(({ length }) => length > 0).map(median);
    return {
      perSecond: all.length / elapsed,
      p50: quantile(all, 0.5),
      p99: quantile(all, 0.99),
      spread: Math.max(...medians) / Math.min(...medians),
    };
  } finally {
    for (const client of clients) client.close();
  }
}

/** Milliseconds, as further figures of a row. */
export function latenciesOf(outcomes: readonly LoadOutcome[]): Details {
  return {
    p50Ms: rounded(median(outcomes.map(({ p50 }) => p50))),
    p99Ms: rounded(median(outcomes.map(({ p99 }) => p99))),
  };
}

/** Draws from requests that were made before, each as often as any other. */
export function anyOf(requests: readonly Buffer[]): () => Buffer {
  return () => requests[Math.floor(Math.random() * requests.length)] ?? Buffer.alloc(0);
}

/** How long each answer took. */
async function ask(client: Client, { next, expects }: LoadOptions, end: number): Promise<number[]> {
  const times: number[] = [];
  for (;;) {
    const before = performance.now();
    if (before > end) return times;
    const { status, body } = await client.ask(next());
    times.push(performance.now() - before);
    if (status !== expects) throw new Error(`${status} instead of ${expects}: ${body.slice(0, 500)}`);
  }
}
