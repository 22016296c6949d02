import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.js';

/** More than this and a point that is passed rarely is not reached in time. */
const PASSES_MAX = 12;
const DIES_WITHIN_MS = 20_000;
/** What somebody wants to send is on its way by then. */
const SENT_WITHIN_MS = 100;
const HOUR_MS = 3_600_000;

export const APP_FAULTS: readonly Fault[] = [
  {
    kind: 'process killed',
    target: 'app',
    explains: true,
    lasts: [0, 1_500],
    cards: 5,
    counts: 'sigkill',
    async strike({ app }) {
      await app.end('SIGKILL');
      return () => app.restart();
    },
  },
  {
    kind: 'process stopped by SIGTERM',
    target: 'app',
    explains: true,
    lasts: [0, 500],
    cards: 3,
    async strike({ app, complaints, isAlone, stopped }) {
      const heardAt = Date.now();
      await pause(SENT_WITHIN_MS);
      const isListening = await app.answers();
      const { code } = await app.end('SIGTERM');
      if (code !== 0 && isAlone()) complaints.push(`${app.name} ended with ${code} after SIGTERM`);
      if (code === 0 && isAlone() && isListening) stopped({ app: app.name, heardAt, endedAt: Date.now() });
      return () => app.restart();
    },
  },
  {
    kind: 'process frozen for a while',
    target: 'app',
    explains: true,
    lasts: [1_000, 5_000],
    async strike({ app }) {
      app.signal('SIGSTOP');
      return async () => app.signal('SIGCONT');
    },
  },
  {
    kind: 'process frozen past its leases',
    target: 'app',
    explains: true,
    lasts: [43_000, 50_000],
    isLong: true,
    async strike({ app }) {
      app.signal('SIGSTOP');
      return async () => app.signal('SIGCONT');
    },
  },
  {
    kind: 'clock of a process jumps by hours',
    target: 'app',
    explains: false,
    lasts: [2_000, 5_000],
    async strike({ app, random }) {
      await app.setClock(random.pick([-HOUR_MS, HOUR_MS, 25 * HOUR_MS]));
      return () => app.setClock(0);
    },
  },
  {
    kind: 'process killed while its clock is wrong',
    target: 'app',
    explains: true,
    lasts: [0, 500],
    counts: 'sigkill',
    async strike({ app, random }) {
      await app.setClock(random.pick([-HOUR_MS, HOUR_MS]));
      await pause(random.between(200, 1_000));
      await app.end('SIGKILL');
      return () => app.restart();
    },
  },
];

/** One for every point that the build names. */
export function crashPointFaults(points: readonly string[]): Fault[] {
  return points.map((point) => ({
    kind: `process dies ${point}`,
    target: 'app',
    explains: true,
    lasts: [0, 300],
    counts: 'sigkill',
    async strike({ app, random, failed }) {
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
