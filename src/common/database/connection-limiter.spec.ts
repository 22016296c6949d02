import { ConnectionLimiter, Overloaded } from './connection-limiter.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** The outcomes of the requests; the list is updated when a request gets its connection or is rejected. */
function outcomesOf(requests: readonly Promise<void>[]): string[] {
  const outcomes = requests.map(() => 'waits');
  for (const [index, request] of requests.entries())
    request.then(
      () => outcomes.splice(index, 1, 'acquired'),
      (error: unknown) => outcomes.splice(index, 1, error instanceof Overloaded ? 'rejected' : String(error)),
    );
  return outcomes;
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test('connections are acquired first come, first served, and a released one goes to the oldest waiter', async () => {
  const limiter = new ConnectionLimiter(2);
  const outcomes = outcomesOf([1, 2, 3, 4].map(() => limiter.acquire()));
  await pass(0);
  expect(outcomes).toEqual(['acquired', 'acquired', 'waits', 'waits']);

  limiter.release();
  await pass(0);
  expect(outcomes).toEqual(['acquired', 'acquired', 'acquired', 'waits']);
});

test('while the oldest waiter waits long, new requests are rejected, and waiters are served', async () => {
  const limiter = new ConnectionLimiter(1);
  const waiting = outcomesOf([1, 2, 3, 4].map(() => limiter.acquire()));
  await pass(3_001);
  const newcomers = outcomesOf([limiter.acquire()]);
  await pass(0);
  expect(newcomers).toEqual(['rejected']);

  for (let released = 0; released < 3; released += 1) {
    limiter.release();
    await pass(3_001);
  }
  expect(waiting).toEqual(['acquired', 'acquired', 'acquired', 'acquired']);
});

test('all waiters are rejected when no connection is released for long, and later requests are served', async () => {
  const limiter = new ConnectionLimiter(1);
  const outcomes = outcomesOf([1, 2, 3].map(() => limiter.acquire()));
  await pass(5_250);
  expect(outcomes).toEqual(['acquired', 'rejected', 'rejected']);

  limiter.release();
  const later = outcomesOf([limiter.acquire()]);
  await pass(0);
  expect(later).toEqual(['acquired']);
});

test('a request that has waited for longer than clients wait is rejected', async () => {
  const limiter = new ConnectionLimiter(1);
  const outcomes = outcomesOf(Array.from({ length: 12 }, () => limiter.acquire()));
  for (let released = 0; released < 4; released += 1) {
    await pass(4_000);
    limiter.release();
  }
  await pass(0);

  expect(outcomes.slice(0, 4)).toEqual(['acquired', 'acquired', 'acquired', 'acquired']);
  expect(new Set(outcomes.slice(4))).toEqual(new Set(['rejected']));
});

test('a jump of the system clock rejects no request', async () => {
  const limiter = new ConnectionLimiter(1);
  const outcomes = outcomesOf([1, 2].map(() => limiter.acquire()));
  jest.setSystemTime(Date.now() + 3_600_000);
  const newcomers = outcomesOf([limiter.acquire()]);
  await pass(250);
  expect([...outcomes, ...newcomers]).toEqual(['acquired', 'waits', 'waits']);
});
