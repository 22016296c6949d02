import { logSparingly } from './rate-limit.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('a cause is told once per interval, with the number of times in between', () => {
  const told: number[] = [];
  const tell = () => logSparingly('outage', 1_000, (suppressed) => told.push(suppressed));
  tell();
  tell();
  tell();
  jest.advanceTimersByTime(1_000);
  tell();
  expect(told).toEqual([0, 2]);
});

test('one cause does not silence another', () => {
  const told: string[] = [];
  for (const key of ['database', 'queue', 'database']) logSparingly(key, 1_000, () => told.push(key));
  expect(told).toEqual(['database', 'queue']);
});
