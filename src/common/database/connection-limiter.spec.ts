import { ConnectionLimiter, Overloaded } from './connection-limiter.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** What became of each request so far. */
function outcomesOf(requests: readonly Promise<void>[]): string[] {
  const outcomes = requests.map(() => 'waits');
  for (const [index, request] of requests.entries())
    request.then(
      () => outcomes.splice(index, 1, 'enters'),
      (error: unknown) => outcomes.splice(index, 1, error instanceof Overloaded ? 'is turned away' : String(error)),
    );
  return outcomes;
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test('whoever comes first enters first, and a place that gets free is for the next in line', async () => {
  const entrance = new ConnectionLimiter(2);
  const outcomes = outcomesOf([1, 2, 3, 4].map(() => entrance.acquire()));
  await pass(0);
  expect(outcomes).toEqual(['enters', 'enters', 'waits', 'waits']);

  entrance.release();
  await pass(0);
  expect(outcomes).toEqual(['enters', 'enters', 'enters', 'waits']);
});

test('a rush waits as long as the line moves, and newcomers are turned away at once while it is long', async () => {
  const entrance = new ConnectionLimiter(1);
  const rush = outcomesOf([1, 2, 3, 4].map(() => entrance.acquire()));
  await pass(3_001);
  const newcomers = outcomesOf([entrance.acquire()]);
  await pass(0);
  expect(newcomers).toEqual(['is turned away']);

  for (let left = 0; left < 3; left += 1) {
    entrance.release();
    await pass(3_001);
  }
  expect(rush).toEqual(['enters', 'enters', 'enters', 'enters']);
});

test('nobody waits in a line that does not move, and it opens again when it does', async () => {
  const entrance = new ConnectionLimiter(1);
  const outcomes = outcomesOf([1, 2, 3].map(() => entrance.acquire()));
  await pass(5_250);
  expect(outcomes).toEqual(['enters', 'is turned away', 'is turned away']);

  entrance.release();
  const later = outcomesOf([entrance.acquire()]);
  await pass(0);
  expect(later).toEqual(['enters']);
});

test('nobody waits for longer than a caller has patience', async () => {
  const entrance = new ConnectionLimiter(1);
  const outcomes = outcomesOf(Array.from({ length: 12 }, () => entrance.acquire()));
  for (let left = 0; left < 4; left += 1) {
    await pass(4_000);
    entrance.release();
  }
  await pass(0);

  expect(outcomes.slice(0, 4)).toEqual(['enters', 'enters', 'enters', 'enters']);
  expect(new Set(outcomes.slice(4))).toEqual(new Set(['is turned away']));
});

test('nobody is turned away because the clock has jumped', async () => {
  const entrance = new ConnectionLimiter(1);
  const outcomes = outcomesOf([1, 2].map(() => entrance.acquire()));
  jest.setSystemTime(Date.now() + 3_600_000);
  const newcomers = outcomesOf([entrance.acquire()]);
  await pass(250);
  expect([...outcomes, ...newcomers]).toEqual(['enters', 'waits', 'waits']);
});
