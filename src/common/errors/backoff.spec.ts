import { retryPauseMs } from './failure.js';

const backoff = { firstMs: 1_000, maxMs: 60_000 };

test.each([
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [6, 32_000],
  [7, 60_000],
  [12, 60_000],
  [5_000, 60_000],
])('after attempt %d the pause is at most %d ms, and at least half of it', (attempt, longest) => {
  expect(retryPauseMs(attempt, backoff, 1)).toBe(longest);
  expect(retryPauseMs(attempt, backoff, 0)).toBe(longest / 2);
});

test('the rest is left to chance, so that those who failed together come back one by one', () => {
  const pauses = Array.from({ length: 200 }, () => retryPauseMs(7, backoff));

  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(30_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
  expect(new Set(pauses).size).toBeGreaterThan(100);
});

test('is whole milliseconds, as a queue wants them', () => {
  expect(retryPauseMs(1, { firstMs: 5, maxMs: 20 }, 0.123)).toBe(3);
});
