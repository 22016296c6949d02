import { Logger } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { Degraded, HealthChecks, Unhealthy } from './health-checks.js';

beforeAll(() => Logger.overrideLogger(false));

const response = () => {
  const sent: number[] = [];
  return { sent, status: (code: number) => sent.push(code) };
};

test('a process without checks is ready', async () => {
  expect(await new HealthChecks().run()).toEqual({ status: 'ok', checks: [] });
});

test('one failing check makes a process not ready, and its detail has no internals', async () => {
  const health = new HealthChecks();
  health.add('database', async () => '20 connections');
  health.add('relay', async () => {
    throw new Unhealthy('stopped 12 s ago');
  });
  health.add('queue', async () => {
    throw new Error('connect ECONNREFUSED 10.0.0.7:6379');
  });
  const answer = response();
  expect(await new HealthController(health).ready(answer)).toEqual({
    status: 'failing',
    checks: [
      { name: 'database', ok: true, detail: '20 connections' },
      { name: 'relay', ok: false, detail: 'stopped 12 s ago' },
      { name: 'queue', ok: false, detail: 'failed; the log has the reason' },
    ],
  });
  expect(answer.sent).toEqual([503]);
});

test('a degraded process is ready, and reports the reason', async () => {
  const health = new HealthChecks();
  health.add('database', async () => undefined);
  health.add('queues', async () => {
    throw new Degraded('no answer from the queues of orders');
  });
  const answer = response();
  expect(await new HealthController(health).ready(answer)).toEqual({
    status: 'degraded',
    checks: [
      { name: 'database', ok: true, detail: '' },
      { name: 'queues', ok: false, detail: 'no answer from the queues of orders' },
    ],
  });
  expect(answer.sent).toEqual([]);
});

test('a check that does not answer fails after two seconds', async () => {
  jest.useFakeTimers();
  const health = new HealthChecks();
  health.add('database', () => new Promise(() => undefined));
  const readiness = health.run();
  await jest.advanceTimersByTimeAsync(2_000);
  expect(await readiness).toMatchObject({ checks: [{ ok: false, detail: 'no answer within 2000 ms' }] });
  jest.useRealTimers();
});

test('a process that stops is live, and not ready', async () => {
  const health = new HealthChecks();
  health.markStopping();
  const answer = response();
  const controller = new HealthController(health);
  expect(await controller.ready(answer)).toMatchObject({ status: 'stopping' });
  expect(answer.sent).toEqual([503]);
  expect(controller.live()).toEqual({ status: 'ok' });
});
