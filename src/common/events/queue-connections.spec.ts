import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { Database } from '../database/database.js';
import { createLogger } from '../logging/logger.js';
import { ModuleStage } from '../testing/module-stage.js';
import { ToySold, ToysModule } from '../testing/toy-module.js';
import { Dispatcher } from './dispatcher.js';

let stage: ModuleStage;
afterEach(() => stage.close());

test('a queue that does not answer keeps nobody waiting, and is used again when it does', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const dispatcher = stage.app.get(Dispatcher);
  const dispatch = async (eventId: string) => {
    dispatcher.dispatch([{ eventId, subscriber: 'toys.ring', claims: 0 }]);
    await dispatcher.idle();
  };
  const queued = async () => (await stage.sql<{ id: string }>('SELECT id FROM bullmq.job')).map(({ id }) => id);
  const [first, silent, passedOver, last] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];

  await dispatch(first);
  await stage.app.get(Database).transaction('toys', async ({ manager }) => {
    await manager.query('LOCK TABLE bullmq.job');
    await dispatch(silent);
    await dispatch(passedOver);
  });
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && (await queued()).length < 3) await dispatch(last);

  expect((await queued()).toSorted()).toEqual([first, silent, last].map((id) => `${id}.toys.ring.0`).toSorted());
});

test('a delivery that cannot be claimed is told in the log', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'on' });
  await stage.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$`);
  await stage.sql(`CREATE TRIGGER refuse BEFORE UPDATE ON backbone.delivery FOR EACH ROW EXECUTE FUNCTION refuse()`);
  const toy = randomUUID();

  const told = new Promise<string>((resolve) => {
    const write = (line: Buffer) => line.includes('could not be claimed') && resolve(String(line));
    const output = new Writable({ write: (line, _, done) => [write(line), done()] });
    Logger.overrideLogger(createLogger({ level: 'warn', format: 'json' }, output));
  });
  await stage.hears(ToySold({ toy, note: '' }));

  expect(JSON.parse(await told)).toMatchObject({
    err: { message: 'the disk is full' },
    delivery: expect.stringContaining('.toys.'),
  });
});
