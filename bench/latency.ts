import { couriers } from './deliveries.js';
import type { Bench } from './support/benchmark.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { quantile, rounded } from './support/statistics.js';

const REACHES = { p50: { share: 0.5, reach: { atMost: 3 } }, p99: { share: 0.99, reach: { atMost: 4 } } } as const;
/** Seldom enough for each to find everybody at rest. */
const IDLE_PER_SECOND = 50;
const SECONDS = 1;

/** From commit to the start of the side effect, by `queue.add` to the start of an empty worker, both at one pace. */
export async function latency({ ground, rounds: count }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const backend of ['Redis', 'PostgreSQL'] as const) {
    const { courier, bare, close } = await couriers(ground, backend);
    await courier.ask('capacity', SECONDS);
    const paces = { idle: IDLE_PER_SECOND, 'half load': (await courier.ask('capacity', SECONDS)) / 2 };
    for (const [load, perSecond] of Object.entries(paces)) {
      const pace = { perSecond, seconds: SECONDS };
      const { ours, theirs } = await rounds(count, {
        ours: () => courier.ask('latencies', pace),
        theirs: () => bare.ask('latencies', pace),
      });
      for (const [name, { share, reach }] of Object.entries(REACHES))
        rows.push(
          compare({
            name: `latency, ${backend}, ${load}, ${name}`,
            what: 'from commit to the start of the side effect; from queue.add to the start of a worker',
            unit: 'ms',
            ours: ours.map((times) => quantile(times, share)),
            theirs: theirs.map((times) => quantile(times, share)),
            reach,
            details: { perSecond: rounded(perSecond) },
          }),
        );
    }
    await close();
  }
  return rows;
}
