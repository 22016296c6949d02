import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { createLogger } from '../../common/logging/logger.js';
import { Unhealthy } from '../../common/monitoring/health-checks.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { Relay } from '../delivery/relay.js';
import { Script, ToySold, ToysModule } from '../testing/toy-module.js';
import { Dispatcher } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';
import { WORKERS, WorkerSupervisor } from './worker-supervisor.js';

/** Longer than a worker may be inactive. */
const INACTIVE_MS = 31_000;
const CHECK_EVERY_MS = 5_000;
const AN_HOUR_MS = 3_600_000;

let stage: ModuleStage;
let supervisor: WorkerSupervisor;
let host: ModuleWorker;
/** Lets a worker that hangs continue. */
let release = (): void => undefined;

beforeEach(async () => {
  stage = await ModuleStage.of(ToysModule, { WORKERS: 'on', MODULE_ROLES: 'off' });
  supervisor = stage.app.get(WorkerSupervisor);
  [host] = stage.app.get<[ModuleWorker]>(WORKERS);
});

afterEach(async () => {
  jest.restoreAllMocks();
  release();
  await stage.close();
});

/** Advances the monotonic clock alone: timers run at their usual speed. */
function advanceClock(): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + INACTIVE_MS);
}

/** Shortens the pause between two checks to one millisecond. */
function checkOften(): void {
  const { setTimeout } = globalThis;
  const shortened = (work: () => void, ms?: number) => setTimeout(work, ms === CHECK_EVERY_MS ? 1 : ms);
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(shortened);
}

/** Makes a worker wait for an answer of its queue that never comes. */
async function hang({ worker }: ModuleWorker): Promise<void> {
  const answer = new Promise<unknown[]>((resolve) => {
    release = () => resolve([]);
  });
  const asked = new Promise<void>((resolve) => {
    const moveToActive = (): Promise<unknown[]> => {
      resolve();
      return answer;
    };
    Object.assign(worker.getBackend(), { moveToActive });
  });
  await sell();
  await asked;
}

const sell = () => stage.receive(ToySold({ toy: randomUUID() }));

test('a worker that hangs makes readiness fail until it is replaced', async () => {
  const { worker } = host;
  await expect(supervisor.assertAlive()).resolves.toBeUndefined();
  const rung = new Promise<void>((resolve) =>
    stage.app.get(Script, { strict: false }).on('ring', async () => resolve()),
  );
  await hang(host);
  advanceClock();

  await expect(supervisor.assertAlive()).rejects.toThrow(/^workers are inactive: toys for 3\d+ ms$/);
  await expect(supervisor.assertAlive()).rejects.toThrow(Unhealthy);
  // The first check takes the jump of the clock for a suspended process, and replaces nothing.
  await supervisor.replaceHanging();
  expect(host.worker).toBe(worker);
  await supervisor.replaceHanging();
  expect(host.worker).not.toBe(worker);

  await rung;
  await expect(supervisor.assertAlive()).resolves.toBeUndefined();
});

test('a worker is not replaced because the wall clock jumps', async () => {
  const { worker } = host;
  const { now } = Date;
  for (const jumpMs of [AN_HOUR_MS, -AN_HOUR_MS]) {
    jest.spyOn(Date, 'now').mockImplementation(() => now() + jumpMs);
    await expect(supervisor.assertAlive()).resolves.toBeUndefined();
    await supervisor.replaceHanging();
    await supervisor.replaceHanging();
    expect(host.worker).toBe(worker);
  }
});

test('a worker with a handler that runs for long is not replaced', async () => {
  const { worker } = host;
  let finish = (): void => undefined;
  const started = new Promise<void>((start) => {
    stage.app.get(Script, { strict: false }).on('ring', () => {
      start();
      return new Promise((resolve) => (finish = resolve));
    });
  });
  await sell();
  await started;
  advanceClock();

  await expect(supervisor.assertAlive()).resolves.toBeUndefined();
  await supervisor.replaceHanging();
  await supervisor.replaceHanging();
  expect(host.worker).toBe(worker);
  finish();
});

test('a worker whose queue does not answer is not replaced', async () => {
  const { worker } = host;
  await hang(host);
  advanceClock();
  const relay = stage.app.get(Relay);
  // The relay is unhealthy too until it has completed another round.
  while (await relay.assertAlive().catch(() => true)) await new Promise((resolve) => setImmediate(resolve));
  const runner = stage.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('LOCK TABLE bullmq.meta');

  await supervisor.replaceHanging();
  await supervisor.replaceHanging();
  expect(host.worker).toBe(worker);
  const ready = await stage.get('/health/ready');
  expect(ready.status).toBe(200);
  expect(ready.body).toMatchObject({ status: 'degraded' });
  expect(ready.body.checks).toContainEqual({
    name: 'queues',
    ok: false,
    detail: 'no answer from the queues of toys: deliveries wait',
  });

  await runner.rollbackTransaction();
  await runner.release();
});

test('a worker whose queue answers only with errors is not replaced, and readiness is degraded until they end', async () => {
  const { worker } = host;
  await stage.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$`);
  await stage.query('CREATE TRIGGER refuse BEFORE UPDATE ON bullmq.job FOR EACH ROW EXECUTE FUNCTION refuse()');
  const errors: unknown[] = [];
  worker.on('error', (error) => void errors.push(error));
  const rung = new Promise<void>((resolve) =>
    stage.app.get(Script, { strict: false }).on('ring', async () => resolve()),
  );
  await sell();
  await once(worker, 'error');
  advanceClock();
  await once(worker, 'error');

  await supervisor.replaceHanging();
  await supervisor.replaceHanging();
  expect(host.worker).toBe(worker);
  // The relay is unhealthy until it has completed a round after the jump of the clock.
  const deadline = Date.now() + 10_000;
  let degraded = await stage.get('/health/ready');
  while (Date.now() < deadline && degraded.status !== 200) degraded = await stage.get('/health/ready');
  expect(degraded).toMatchObject({ status: 200, body: { status: 'degraded' } });
  expect(degraded.body.checks).toContainEqual({
    name: 'queues',
    ok: false,
    detail: 'errors from the queues of toys: deliveries wait',
  });
  expect(errors.length).toBeLessThan(10);

  await stage.query('DROP TRIGGER refuse ON bullmq.job');
  await rung;
  expect((await stage.get('/health/ready')).body).toMatchObject({ status: 'ok' });
});

test('a worker that cannot be replaced is logged, and the next check tries again', async () => {
  const { worker } = host;
  const successor = worker.successor.bind(worker);
  let failures = 2;
  Object.assign(worker, {
    successor: () => {
      if (failures > 0) throw new Error(`${failures--} more`);
      return successor();
    },
  });
  await hang(host);
  advanceClock();
  checkOften();
  const logged = new Promise<string>((resolve) => {
    const output = new Writable({ write: (line, _, done) => [resolve(String(line)), done()] });
    Logger.overrideLogger(createLogger({ level: 'error', format: 'json' }, output));
  });

  const ownSupervisor = new WorkerSupervisor([host], stage.app.get(Dispatcher));
  ownSupervisor.start();
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && host.worker === worker) await stage.query('SELECT');
  await ownSupervisor.stop();

  expect(host.worker).not.toBe(worker);
  expect(JSON.parse(await logged)).toMatchObject({
    msg: 'A worker could not be replaced; the next round will try again',
    err: { message: '2 more' },
  });
});
