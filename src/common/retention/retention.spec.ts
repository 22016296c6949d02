import { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { createLogger } from '../logging/logger.js';
import { type RetentionPolicy, RetentionRunner } from './retention.js';

const lines: string[] = [];

beforeAll(() => {
  const output = new Writable({ write: (line, _, done) => [lines.push(String(line)), done()] });
  Logger.overrideLogger(createLogger({ level: 'info', format: 'json' }, output));
});

beforeEach(() => lines.splice(0));

/** A runner with these policies; Nest would instantiate their classes. */
function runnerOf(policies: Readonly<Record<string, RetentionPolicy['batches']>>): RetentionRunner {
  const instances = Object.entries(policies).map(([kind, batches]) => ({ kind, batches }));
  return new RetentionRunner({ get: (policy: unknown) => policy } as never, instances as never);
}

async function* batchesOf(...sizes: number[]) {
  yield* sizes;
}

test('a round runs all batches of all policies, one policy after the other', async () => {
  const pruning = runnerOf({ leaves: () => batchesOf(10, 10, 3), twigs: () => batchesOf(0) });

  expect(await pruning.prune()).toEqual({ leaves: 23, twigs: 0 });
  expect(await pruning.prune()).toEqual({ leaves: 23, twigs: 0 });
});

test('after an error of one policy the others run, and the error is logged once for each policy', async () => {
  const fails = (cause: string) =>
    async function* () {
      yield 5;
      throw new Error(cause);
    };
  const pruning = runnerOf({
    leaves: fails('the ladder is gone'),
    twigs: fails('the ladder is gone'),
    weeds: () => batchesOf(7),
  });

  for (let round = 0; round < 3; round++) expect(await pruning.prune()).toEqual({ leaves: 5, twigs: 5, weeds: 7 });

  const warnings = lines.map((line) => JSON.parse(line)).filter(({ err }) => err);
  expect(warnings.map(({ err, kind }) => [kind, err.message])).toEqual([
    ['leaves', 'the ladder is gone'],
    ['twigs', 'the ladder is gone'],
  ]);
});

test('a round starts after the previous one has ended', async () => {
  jest.useFakeTimers();
  try {
    let running = 0;
    let rounds = 0;
    let most = 0;
    let end = (): void => undefined;
    const pruning = runnerOf({
      async *leaves() {
        rounds += 1;
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => (end = resolve));
        running -= 1;
        yield 0;
      },
    });

    pruning.onApplicationBootstrap();
    for (const expected of [1, 2, 3]) {
      await jest.advanceTimersByTimeAsync(3_600_000);
      expect(rounds).toBe(expected);
      end();
    }
    await pruning.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(3_600_000);

    expect([rounds, most]).toEqual([3, 1]);
  } finally {
    jest.useRealTimers();
  }
});

test('a process that stops waits for the running batch, and starts no other', async () => {
  jest.useFakeTimers();
  try {
    const steps: string[] = [];
    let stopped: Promise<void> | undefined;
    const pruning = runnerOf({
      async *leaves() {
        steps.push('first');
        stopped = pruning.beforeApplicationShutdown().then(() => void steps.push('stopped'));
        await Promise.resolve();
        steps.push('first has ended');
        yield 500;
        steps.push('second');
      },
      async *twigs() {
        steps.push('twigs');
        yield 1;
      },
    });

    pruning.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(3_600_000);
    await stopped;

    expect(steps).toEqual(['first', 'first has ended', 'stopped']);
  } finally {
    jest.useRealTimers();
  }
});

test('a process stops although a batch hangs', async () => {
  jest.useFakeTimers();
  try {
    const pruning = runnerOf({
      // oxlint-disable-next-line require-yield -- it hangs before
      async *leaves() {
        await new Promise(() => undefined);
      },
    });
    pruning.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(3_600_000);

    const stopped = pruning.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(60_000);

    await expect(stopped).resolves.toBeUndefined();
  } finally {
    jest.useRealTimers();
  }
});
