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

test('a clock that is set back silences nothing, and one that is set forward tells nothing again', () => {
  const told: number[] = [];
  const tell = () => logSparingly('clock', 1_000, (suppressed) => told.push(suppressed));
  tell();
  jest.setSystemTime(Date.now() + 3_600_000);
  tell();
  expect(told).toEqual([0]);
  jest.setSystemTime(Date.now() - 7_200_000);
  jest.advanceTimersByTime(1_000);
  tell();
  expect(told).toEqual([0, 1]);
});
