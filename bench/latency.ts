import { couriers } from './deliveries.js';
import type { Bench } from './support/benchmark.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';
import { quantile, rounded } from './support/statistics.js';

const TARGETS = { p50: { share: 0.5, target: { atMost: 3 } }, p99: { share: 0.99, target: { atMost: 4 } } } as const;
/** Low enough that each event finds the process idle. */
const IDLE_PER_SECOND = 50;
const SECONDS = 1;

/**
 * Time from commit to the start of the side effect, divided by the time from `queue.add` to the start of an empty
 * worker.
 */
export async function latency({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const backend of ['Redis', 'PostgreSQL'] as const) {
    const { courier, bare, close } = await couriers(testBed, backend);
    await courier.call('capacity', SECONDS);
    const paces = { idle: IDLE_PER_SECOND, 'half load': (await courier.call('capacity', SECONDS)) / 2 };
    for (const [load, perSecond] of Object.entries(paces)) {
      const pace = { perSecond, seconds: SECONDS };
      const { ours, theirs } = await rounds(count, {
        ours: () => courier.call('latencies', pace),
        theirs: () => bare.call('latencies', pace),
      });
      for (const [name, { share, target }] of Object.entries(TARGETS))
        rows.push(
          compare({
            name: `latency, ${backend}, ${load}, ${name}`,
            description: 'from commit to the start of the side effect; from queue.add to the start of a worker',
            unit: 'ms',
            ours: ours.map((times) => quantile(times, share)),
            theirs: theirs.map((times) => quantile(times, share)),
            target,
            details: { perSecond: rounded(perSecond) },
          }),
        );
    }
    await close();
  }
  return rows;
}
