import { Logger } from '@nestjs/common';
import { logOccasionally } from './log-occasionally.js';

const logged: [message: unknown, suppressed: unknown][] = [];
const logger = Object.assign(new Logger('Test'), {
  warn: (message: unknown, { suppressed }: { suppressed: number }) => void logged.push([message, suppressed]),
});

beforeEach(() => {
  logged.splice(0);
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

test('a cause is logged at most once in 30 seconds, with the number of suppressed calls', () => {
  const log = () => logOccasionally(logger, 'warn', { message: 'outage' });
  log();
  log();
  log();
  jest.advanceTimersByTime(30_000);
  log();
  expect(logged).toEqual([
    ['outage', 0],
    ['outage', 2],
  ]);
});

test('one cause does not suppress another, whether they differ in the message or in the key', () => {
  for (const message of ['database', 'queue', 'database']) logOccasionally(logger, 'warn', { message });
  for (const key of ['orders', 'stock', 'orders']) logOccasionally(logger, 'warn', { message: 'slow', key });
  expect(logged.map(([message]) => message)).toEqual(['database', 'queue', 'slow', 'slow']);
});

test('a change of the system clock neither suppresses a cause for longer nor logs it again earlier', () => {
  const log = () => logOccasionally(logger, 'warn', { message: 'clock' });
  log();
  jest.setSystemTime(Date.now() + 3_600_000);
  log();
  expect(logged).toEqual([['clock', 0]]);
  jest.setSystemTime(Date.now() - 7_200_000);
  jest.advanceTimersByTime(30_000);
  log();
  expect(logged).toEqual([
    ['clock', 0],
    ['clock', 1],
  ]);
});
