import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { createLogger } from '../../common/logging/logger.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { BusinessModule } from '../business-module.js';
import { SideEffect } from '../decorators.js';
import { Dispatcher } from '../queue/dispatcher.js';
import type { MonitoredQueue } from '../queue/monitored-queue.js';
import { Subscriptions } from '../registry/subscriptions.js';
import { ToySold, ToysModule } from '../testing/toy-module.js';
import { Deliveries } from './deliveries.js';
import { Relay } from './relay.js';

@Injectable()
class Listener {
  @SideEffect(ToySold)
  async hear(): Promise<void> {}
}

@BusinessModule({
  name: 'elsewhere',
  events: {},
  controllers: [],
  providers: [Listener],
  entities: [],
  migrations: [],
})
class ElsewhereModule {}

const queueOf = ({ app }: ModuleStage): MonitoredQueue => app.get(getQueueToken('toys'), { strict: false });

let stage: ModuleStage;
afterEach(() => stage.close());

test('the relay looks after the modules of its process, and leaves those of others alone', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const subscriptions = new Subscriptions([ToysModule, ElsewhereModule], (module) => module === 'toys');
  const relay = new Relay(stage.app.get(Deliveries), stage.app.get(Dispatcher), subscriptions);
  const due = async () => {
    const sql = 'SELECT subscriber FROM backbone.delivery WHERE due_at < clock_timestamp() ORDER BY 1';
    return (await stage.query<{ subscriber: string }>(sql)).map(({ subscriber }) => subscriber);
  };
  await stage.receive(ToySold({ toy: randomUUID() }));
  await stage.query(`UPDATE backbone.delivery SET subscriber = 'elsewhere.hear' WHERE subscriber = 'toys.wrap'`);
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');

  relay.start();
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline && (await due()).includes('toys.ring'));
  await relay.stop();

  expect(await due()).toEqual(['elsewhere.hear']);
}, 10_000);

test('the relay has of a long backlog what keeps the workers busy in the queue, and little by little the oldest', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  for (let batch = 0; batch < 5; batch += 1)
    await stage.receive(...Array.from({ length: 600 }, () => ToySold({ toy: randomUUID() })));
  await stage.query(`DELETE FROM backbone.delivery WHERE subscriber <> 'toys.ring'`);
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');
  const dispatcher = stage.app.get(Dispatcher);
  // As if the queue had been lost.
  await dispatcher.idle();
  const queue = queueOf(stage);
  await queue.drain();
  const reminded = new EventEmitter();
  const remind = dispatcher.redispatch.bind(dispatcher);
  jest.spyOn(dispatcher, 'redispatch').mockImplementation((refs) => {
    remind(refs);
    if (refs.length > 0) reminded.emit('of', refs.length);
  });

  const first = once(reminded, 'of');
  stage.app.get(Relay).start();
  expect(await first).toEqual([50]);
  const second = once(reminded, 'of');
  expect(await second).toEqual([50]);
  await stage.app.get(Relay).stop();

  const { length } = await stage.query('SELECT FROM backbone.delivery WHERE due_at > clock_timestamp()');
  expect(length).toBe(2_000 + 2 * 50);
  expect(await queue.getWaitingCount()).toBe(100 + 2 * 50);
});

test('what is brought to mind again and again waits once', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const dispatcher = stage.app.get(Dispatcher);
  const refs = ['a', 'b'].map((subscriber) => ({ eventId: randomUUID(), subscriber: `toys.${subscriber}`, claims: 0 }));
  for (let time = 0; time < 3; time += 1) {
    dispatcher.redispatch(refs);
    await dispatcher.idle();
  }

  expect(await queueOf(stage).getWaitingCount()).toBe(2);
});

test('the relay outlives an error of the database, and finds afterwards what was due', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', BACKLOG_MAX: '0' });
  const relay = stage.app.get(Relay);
  await stage.receive(ToySold({ toy: randomUUID() }));
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');
  await stage.query('ALTER TABLE backbone.delivery RENAME TO away');
  const lines = new EventEmitter();
  const say = (line: Buffer) => {
    const { msg } = JSON.parse(String(line));
    // Others that look at the table say so as well.
    if (msg.startsWith('The relay')) lines.emit('line', msg);
  };
  const output = new Writable({ write: (line, _, done) => [say(line), done()] });
  Logger.overrideLogger(createLogger({ level: 'info', format: 'json' }, output));

  const failed = once(lines, 'line');
  relay.start();
  expect(await failed).toEqual(['The relay cannot read the deliveries and keeps trying']);
  const mended = once(lines, 'line');
  await stage.query('ALTER TABLE backbone.away RENAME TO delivery');
  expect(await mended).toEqual(['The relay works again']);
  await relay.stop();

  expect(await stage.query('SELECT FROM backbone.delivery WHERE due_at < clock_timestamp()')).toEqual([]);
}, 10_000);

test('the relay has not stopped because the clock has jumped', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const relay = stage.app.get(Relay);
  const { now } = Date;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);

  await expect(relay.assertAlive()).resolves.toBeUndefined();
  jest.restoreAllMocks();
});
