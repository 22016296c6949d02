import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.js';

/** With a larger count, a crash point that is rarely passed would not be reached in time. */
const PASSES_MAX = 12;
const DIES_WITHIN_MS = 20_000;
/** Requests that clients are about to send have been sent after this pause. */
const SENT_WITHIN_MS = 100;
const HOUR_MS = 3_600_000;

export const APP_FAULTS: readonly Fault[] = [
  {
    kind: 'process killed',
    target: 'app',
    explainsDuplicates: true,
    durationMs: [0, 1_500],
    weight: 5,
    countsAs: 'sigkill',
    async inject({ app }) {
      await app.end('SIGKILL');
      return () => app.restart();
    },
  },
  {
    kind: 'process stopped by SIGTERM',
    target: 'app',
    explainsDuplicates: true,
    durationMs: [0, 500],
    weight: 3,
    async inject({ app, problems, isAlone, stopped }) {
      const receivedUntil = Date.now();
      await pause(SENT_WITHIN_MS);
      const isListening = await app.answers();
      const { code } = await app.end('SIGTERM');
      if (code !== 0 && isAlone()) problems.push(`${app.name} ended with ${code} after SIGTERM`);
      if (code === 0 && isAlone() && isListening) stopped({ app: app.name, receivedUntil, endedAt: Date.now() });
      return () => app.restart();
    },
  },
  {
    kind: 'process frozen for some seconds',
    target: 'app',
    explainsDuplicates: true,
    durationMs: [1_000, 5_000],
    async inject({ app }) {
      app.signal('SIGSTOP');
      return async () => app.signal('SIGCONT');
    },
  },
  {
    kind: 'process frozen for longer than its leases',
    target: 'app',
    explainsDuplicates: true,
    durationMs: [43_000, 50_000],
    isLong: true,
    async inject({ app }) {
      app.signal('SIGSTOP');
      return async () => app.signal('SIGCONT');
    },
  },
  {
    kind: 'clock of a process jumps by hours',
    target: 'app',
    explainsDuplicates: false,
    durationMs: [2_000, 5_000],
    async inject({ app, random }) {
      await app.setClock(random.pick([-HOUR_MS, HOUR_MS, 25 * HOUR_MS]));
      return () => app.setClock(0);
    },
  },
  {
    kind: 'process killed while its clock is wrong',
    target: 'app',
    explainsDuplicates: true,
    durationMs: [0, 500],
    countsAs: 'sigkill',
    async inject({ app, random }) {
      await app.setClock(random.pick([-HOUR_MS, HOUR_MS]));
      await pause(random.between(200, 1_000));
      await app.end('SIGKILL');
      return () => app.restart();
    },
  },
];

/** One fault for each crash point of the build. */
export function crashPointFaults(points: readonly string[]): Fault[] {
  return points.map((point) => ({
    kind: `process dies ${point}`,
    target: 'app',
    explainsDuplicates: true,
    durationMs: [0, 300],
    countsAs: 'sigkill',
    async inject({ app, random, failed }) {
      await app.end('SIGKILL');
      await app.start({ CRASH_AT: `${point}:${random.between(1, PASSES_MAX)}` });
      const hasEnded = await app.endsWithin(DIES_WITHIN_MS);
      if (!hasEnded || (await app.ended()).signal !== 'SIGKILL') failed();
      return async () => {
        if (app.isRunning) await app.end('SIGKILL');
        await app.restart();
      };
    },
  }));
}
