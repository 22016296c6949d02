import { errorFingerprint, retryPauseMs } from './failure.js';

describe('the fingerprint of an error', () => {
  const of = (message: string, name = 'Error') => errorFingerprint({ name, message });

  test.each([
    ['ids', 'No order 0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b', 'No order 0192f3a0-0000-7c3d-9f2a-4e6b8d0c1a2b'],
    ['hex', 'job 4f3a9c failed', 'job 99b failed'],
    ['SKUs', 'NW-11 is gone', 'NW-2048 is gone'],
    ['numbers', 'No outcome within 30000 ms', 'No outcome within 2.5 ms'],
    ['quoted texts', `no template 'hello'`, `no template 'good bye, my "friend"'`],
    ['typographic quotes', 'no template “hello”', 'no template “good bye”'],
    ['e-mail addresses', 'no such user <***@example.com>', 'no such user <***@mail.example.org>'],
    ['URLs', 'POST https://a.example/hook?x=1 failed', 'POST https://b.example/ failed'],
    ['addresses of hosts', 'connect ECONNREFUSED 127.0.0.1:25', 'connect ECONNREFUSED 10.1.2.3:587'],
    ['IPv6 addresses', 'connect ECONNREFUSED ::1:25', 'connect ECONNREFUSED ::1:587'],
    ['names of hosts', 'getaddrinfo ENOTFOUND mail.example.com', 'getaddrinfo ENOTFOUND mx.example.org'],
    ['line breaks', 'broken\n  in two', 'broken in two'],
  ])('is the same for messages that differ only in %s', (_, one, other) => {
    expect(of(one)).toBe(of(other));
  });

  test.each([
    ['words', 'mailbox full', 'mailbox unknown'],
    ['words between two apostrophes', `can't send, won't try`, `can't read, won't try`],
  ])('differs for messages that differ in %s', (_, one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  test('differs for errors with different names', () => {
    expect(of('no answer', 'TimedOut')).not.toBe(of('no answer', 'GiveUp'));
  });

  test('is short, and is computed fast for long messages', () => {
    expect(of('no answer from 127.0.0.1')).toMatch(/^[0-9a-f]{16}$/);
    const start = performance.now();
    for (const part of ['a', 'a.', "'", '1-', '@', 'a:', '“']) of(part.repeat(2_000));
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('the pause before a retry', () => {
  const backoff = { firstMs: 1_000, maxMs: 60_000 };

  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [6, 32_000],
    [7, 60_000],
    [12, 60_000],
    [5_000, 60_000],
  ])('after attempt %d is at most %d ms, and at least half of it', (attempt, longest) => {
    expect(retryPauseMs(attempt, backoff, 1)).toBe(longest);
    expect(retryPauseMs(attempt, backoff, 0)).toBe(longest / 2);
  });

  test('half of the pause is random, so that deliveries that failed together are not retried together', () => {
    const pauses = Array.from({ length: 200 }, () => retryPauseMs(7, backoff));

    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  test('is a whole number of milliseconds, as BullMQ requires', () => {
    expect(retryPauseMs(1, { firstMs: 5, maxMs: 20 }, 0.123)).toBe(3);
  });
});
