import * as fc from 'fast-check';
import { pauseAfter } from './backoff.js';

const settings = fc.record({
  firstMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 60_000, max: 10 ** 8 }),
});
const attempts = fc.integer({ min: 1, max: 1_000 });
const chances = fc.double({ min: 0, max: 1, noNaN: true });

test('pauses double up to the longest', () => {
  const pauses = [1, 2, 3, 4, 5, 400].map((attempt) => pauseAfter(attempt, { firstMs: 1_000, maxMs: 10_000 }, 1));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('chance takes away half of a pause at most, so that none is skipped and none is too long', () => {
  fc.assert(
    fc.property(attempts, settings, chances, (attempt, backoff, chance) => {
      const whole = pauseAfter(attempt, backoff, 1);
      const pause = pauseAfter(attempt, backoff, chance);
      expect(whole).toBeLessThanOrEqual(backoff.maxMs);
      expect(pause).toBeLessThanOrEqual(whole);
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
    }),
  );
});

test('a later attempt never waits less, but for chance', () => {
  fc.assert(
    fc.property(attempts, settings, chances, (attempt, backoff, chance) => {
      expect(pauseAfter(attempt + 1, backoff, chance)).toBeGreaterThanOrEqual(pauseAfter(attempt, backoff, chance));
    }),
  );
});
