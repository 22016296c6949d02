import { Loop } from './loop.js';

const PAUSE_MS = 100;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A loop whose rounds are ended by the test. */
function aLoop() {
  const ends: { ok(): void; fail(error: Error): void }[] = [];
  const errors: unknown[] = [];
  const loop = new Loop({
    round: () => new Promise<void>((ok, fail) => ends.push({ ok, fail })),
    failed: (error) => void errors.push(error),
    pauseMs: (tookMs) => PAUSE_MS + tookMs,
  });
  return { loop, ends, errors };
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test('a round starts after the previous one has ended, and after its pause', async () => {
  const { loop, ends } = aLoop();
  loop.start();
  await pass(10 * PAUSE_MS);
  expect(ends).toHaveLength(1);

  ends[0]?.ok();
  await pass(11 * PAUSE_MS - 1);
  expect(ends).toHaveLength(1);
  await pass(1);
  expect(ends).toHaveLength(2);
});

test('an error of a round is passed on, and the next round runs', async () => {
  const { loop, ends, errors } = aLoop();
  loop.start();
  await pass(0);
  ends[0]?.fail(new Error('The wind turned'));
  await pass(PAUSE_MS);
  expect(errors).toEqual([new Error('The wind turned')]);
  expect(ends).toHaveLength(2);
});

test('stopping waits for the running round, and no other one starts', async () => {
  const { loop, ends } = aLoop();
  loop.start();
  await pass(0);
  let isStopped = false;
  const stopped = loop.stop().then(() => (isStopped = true));
  await pass(1);
  expect(isStopped).toBe(false);

  ends[0]?.ok();
  await stopped;
  await pass(10 * PAUSE_MS);
  expect(ends).toHaveLength(1);
});

test('stopping does not wait for a round that hangs', async () => {
  const { loop, ends } = aLoop();
  loop.start();
  await pass(0);
  const stopped = loop.stop();
  await pass(500);
  await stopped;
  expect(ends).toHaveLength(1);
});
