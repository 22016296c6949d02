import { Client } from './client.js';
import type { Details } from './row.js';
import { median, quantile, rounded } from './statistics.js';

export interface LoadOptions {
  /** Distributed evenly among the clients. */
  readonly urls: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  /** Returns the next request: a new one, or one of those that were created before. */
  readonly next: () => Buffer;
  /** The expected status; any other ends the benchmark with an error. */
  readonly expects: number;
}

export interface LoadOutcome {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The median latency of the slowest client, divided by that of the fastest. */
  readonly spread: number;
}

/** Runs clients for some seconds. Each sends its next request as soon as it has received an answer. */
export async function load(options: LoadOptions): Promise<LoadOutcome> {
  const { urls, seconds } = options;
  const clients = await Promise.all(
    Array.from({ length: options.clients }, (_, nr) => Client.connect(urls[nr % urls.length] ?? '')),
  );
  try {
    const start = performance.now();
    const times = await Promise.all(clients.map((client) => runClient(client, options, start + seconds * 1_000)));
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

/** Latencies in milliseconds, as details of a row. */
export function latenciesOf(outcomes: readonly LoadOutcome[]): Details {
  return {
    p50Ms: rounded(median(outcomes.map(({ p50 }) => p50))),
    p99Ms: rounded(median(outcomes.map(({ p99 }) => p99))),
  };
}

/** Chooses one of these requests at random, with equal probability. */
export function anyOf(requests: readonly Buffer[]): () => Buffer {
  return () => requests[Math.floor(Math.random() * requests.length)] ?? Buffer.alloc(0);
}

/** Returns the latency of each answer. */
async function runClient(client: Client, { next, expects }: LoadOptions, end: number): Promise<number[]> {
  const times: number[] = [];
  for (;;) {
    const before = performance.now();
    if (before > end) return times;
    const { status, body } = await client.send(next());
    times.push(performance.now() - before);
    if (status !== expects) throw new Error(`${status} instead of ${expects}: ${body.slice(0, 500)}`);
  }
}
