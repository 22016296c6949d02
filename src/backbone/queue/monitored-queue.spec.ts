import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { getQueueToken } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { createLogger } from '../../common/logging/logger.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { GiveUp } from '../outcomes.js';
import { Script, ToySold, ToysModule } from '../testing/toy-module.js';
import type { DeliveryJob } from './dispatcher.js';
import { Dispatcher } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';
import type { MonitoredQueue } from './monitored-queue.js';
import { WORKERS } from './worker-supervisor.js';

let stage: ModuleStage;
afterEach(() => stage.close());

test('a queue that does not answer delays no caller, and is used again when it answers', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const dispatcher = stage.app.get(Dispatcher);
  const dispatch = async (eventId: string) => {
    dispatcher.dispatch([{ eventId, subscriber: 'toys.ring', claims: 0 }]);
    await dispatcher.idle();
  };
  const queue: MonitoredQueue = stage.app.get(getQueueToken('toys'), { strict: false });
  const queued = async () =>
    (await queue.getWaiting()).flatMap(({ data }: DeliveryJob) => data.map((ref) => ref.eventId));
  const [first, silent, refused, last] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];

  await dispatch(first);
  await stage.app.get(Database).transaction('toys', async ({ manager }) => {
    await manager.query('LOCK TABLE bullmq.job');
    await dispatch(silent);
    await dispatch(refused);
  });
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && (await queued()).length < 3) await dispatch(last);

  expect((await queued()).toSorted()).toEqual([first, silent, last].toSorted());
});

test('a delivery that cannot be claimed is logged', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'on' });
  await stage.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$`);
  await stage.query(`CREATE TRIGGER refuse BEFORE UPDATE ON backbone.delivery FOR EACH ROW EXECUTE FUNCTION refuse()`);
  const toy = randomUUID();

  const logged = new Promise<string>((resolve) => {
    const write = (line: Buffer) => line.includes('could not be claimed') && resolve(String(line));
    const output = new Writable({ write: (line, _, done) => [write(line), done()] });
    Logger.overrideLogger(createLogger({ level: 'warn', format: 'json' }, output));
  });
  await stage.receive(ToySold({ toy, note: '' }));

  expect(JSON.parse(await logged)).toMatchObject({
    err: { message: 'the disk is full' },
    delivery: expect.stringContaining('.toys.'),
  });
});

test('errors of queues and workers are logged, once per cause', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'on' });
  const queue = stage.app.get<MonitoredQueue>(getQueueToken('toys'), { strict: false });
  const [{ worker }] = stage.app.get<[ModuleWorker]>(WORKERS);
  const logged: string[] = [];
  const write = (line: Buffer) => void logged.push(JSON.parse(String(line)).err?.message);
  const output = new Writable({ write: (line, _, done) => [write(line), done()] });
  Logger.overrideLogger(createLogger({ level: 'warn', format: 'json' }, output));

  queue.emit('error', new Error('The queue fails'));
  worker.emit('error', new Error('The worker fails'));
  for (const job of [randomUUID(), randomUUID()]) worker.emit('error', new Error(`No lock for job ${job}`));

  expect(logged).toEqual(['The queue fails', 'The worker fails', expect.stringMatching(/^No lock/)]);
});

test('a queue keeps no job of a delivery that has ended or is blocked, so that it can be added again', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'on' });
  const [done, dead] = [randomUUID(), randomUUID()];
  stage.app.get(Script, { strict: false }).on('ring', async ({ data }) => {
    if (data.toy === dead) throw new GiveUp('no bell');
  });
  const left = () =>
    stage.query(`SELECT id FROM bullmq.job UNION ALL
               SELECT event_id::text FROM backbone.delivery
                WHERE state = 'pending' AND order_key <> 'toys.ring toy/${dead}'`);

  await stage.receive(ToySold({ toy: done }), ToySold({ toy: dead }), ToySold({ toy: dead }));
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && (await left()).length > 0);

  expect(await left()).toEqual([]);
  const ended = await stage.query(
    `SELECT DISTINCT state FROM backbone.delivery WHERE subscriber = 'toys.ring' ORDER BY state`,
  );
  expect(ended).toEqual(['dead', 'done', 'pending'].map((state) => ({ state })));
}, 20_000);
