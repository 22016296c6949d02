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

const A_WHILE_MS = 31_000;
const LOOK_EVERY_MS = 5_000;
const AN_HOUR_MS = 3_600_000;

let stage: ModuleStage;
let watch: WorkerSupervisor;
let host: ModuleWorker;
/** Ends what hangs. */
let letGo = (): void => undefined;

beforeEach(async () => {
  stage = await ModuleStage.of(ToysModule, { WORKERS: 'on', MODULE_ROLES: 'off' });
  watch = stage.app.get(WorkerSupervisor);
  [host] = stage.app.get<[ModuleWorker]>(WORKERS);
});

afterEach(async () => {
  jest.restoreAllMocks();
  letGo();
  await stage.close();
});

/** On the stopwatch alone: everything takes the time that it takes. */
function timePasses(): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + A_WHILE_MS);
}

/** A look comes at once after the one before it. */
function lookOften(): void {
  const { setTimeout } = globalThis;
  const hurried = (work: () => void, ms?: number) => setTimeout(work, ms === LOOK_EVERY_MS ? 1 : ms);
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(hurried);
}

/** Asks its queue for work and never hears an answer. */
async function hang({ worker }: ModuleWorker): Promise<void> {
  const answer = new Promise<unknown[]>((resolve) => {
    letGo = () => resolve([]);
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

test('a worker that hangs makes readiness fail until another one has taken over', async () => {
  const { worker } = host;
  await expect(watch.assertAlive()).resolves.toBeUndefined();
  const rung = new Promise<void>((resolve) =>
    stage.app.get(Script, { strict: false }).on('ring', async () => resolve()),
  );
  await hang(host);
  timePasses();

  await expect(watch.assertAlive()).rejects.toThrow(/^workers are inactive: toys for 3\d+ ms$/);
  await expect(watch.assertAlive()).rejects.toThrow(Unhealthy);
  // The first look finds that the process itself may have been asleep.
  await watch.replaceHanging();
  expect(host.worker).toBe(worker);
  await watch.replaceHanging();
  expect(host.worker).not.toBe(worker);

  await rung;
  await expect(watch.assertAlive()).resolves.toBeUndefined();
});

test("a clock that jumps is nobody's fault", async () => {
  const { worker } = host;
  const { now } = Date;
  for (const jumpMs of [AN_HOUR_MS, -AN_HOUR_MS]) {
    jest.spyOn(Date, 'now').mockImplementation(() => now() + jumpMs);
    await expect(watch.assertAlive()).resolves.toBeUndefined();
    await watch.replaceHanging();
    await watch.replaceHanging();
    expect(host.worker).toBe(worker);
  }
});

test('a worker that is at work for long is left alone', async () => {
  const { worker } = host;
  let finish = (): void => undefined;
  const begun = new Promise<void>((begin) => {
    stage.app.get(Script, { strict: false }).on('ring', () => {
      begin();
      return new Promise((resolve) => (finish = resolve));
    });
  });
  await sell();
  await begun;
  timePasses();

  await expect(watch.assertAlive()).resolves.toBeUndefined();
  await watch.replaceHanging();
  await watch.replaceHanging();
  expect(host.worker).toBe(worker);
  finish();
});

test('a worker whose queue does not answer is not to blame', async () => {
  const { worker } = host;
  await hang(host);
  timePasses();
  const relay = stage.app.get(Relay);
  // Its last round is too long ago as well, until it has made another one.
  while (await relay.assertAlive().catch(() => true)) await new Promise((resolve) => setImmediate(resolve));
  const runner = stage.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('LOCK TABLE bullmq.meta');

  await watch.replaceHanging();
  await watch.replaceHanging();
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

test('a worker that hears nothing but errors from its queue is left alone, and readiness tells until they end', async () => {
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
  timePasses();
  await once(worker, 'error');

  await watch.replaceHanging();
  await watch.replaceHanging();
  expect(host.worker).toBe(worker);
  // The relay has to have made a round since.
  const deadline = Date.now() + 10_000;
  let troubled = await stage.get('/health/ready');
  while (Date.now() < deadline && troubled.status !== 200) troubled = await stage.get('/health/ready');
  expect(troubled).toMatchObject({ status: 200, body: { status: 'degraded' } });
  expect(troubled.body.checks).toContainEqual({
    name: 'queues',
    ok: false,
    detail: 'errors from the queues of toys: deliveries wait',
  });
  expect(errors.length).toBeLessThan(10);

  await stage.query('DROP TRIGGER refuse ON bullmq.job');
  await rung;
  expect((await stage.get('/health/ready')).body).toMatchObject({ status: 'ok' });
});

test('a worker that cannot be replaced is told of, and the next look tries again', async () => {
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
  timePasses();
  lookOften();
  const told = new Promise<string>((resolve) => {
    const output = new Writable({ write: (line, _, done) => [resolve(String(line)), done()] });
    Logger.overrideLogger(createLogger({ level: 'error', format: 'json' }, output));
  });

  const ownWatch = new WorkerSupervisor([host], stage.app.get(Dispatcher));
  ownWatch.start();
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && host.worker === worker) await stage.query('SELECT');
  await ownWatch.stop();

  expect(host.worker).not.toBe(worker);
  expect(JSON.parse(await told)).toMatchObject({
    msg: 'A worker could not be replaced; the next round will try again',
    err: { message: '2 more' },
  });
});
