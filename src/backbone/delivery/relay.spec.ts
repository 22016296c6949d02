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
class ElsewhereReactions {
  @SideEffect(ToySold)
  async handle(): Promise<void> {}
}

@BusinessModule({
  name: 'elsewhere',
  events: {},
  controllers: [],
  providers: [ElsewhereReactions],
  entities: [],
  migrations: [],
})
class ElsewhereModule {}

const queueOf = ({ app }: ModuleStage): MonitoredQueue => app.get(getQueueToken('toys'), { strict: false });

let stage: ModuleStage;
afterEach(() => stage.close());

test('the relay enqueues the deliveries of the modules of its process only', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const subscriptions = new Subscriptions([ToysModule, ElsewhereModule], (module) => module === 'toys');
  const relay = new Relay(stage.app.get(Deliveries), stage.app.get(Dispatcher), subscriptions);
  const due = async () => {
    const sql = 'SELECT subscriber FROM backbone.delivery WHERE due_at < clock_timestamp() ORDER BY 1';
    return (await stage.query<{ subscriber: string }>(sql)).map(({ subscriber }) => subscriber);
  };
  await stage.receive(ToySold({ toy: randomUUID() }));
  await stage.query(`UPDATE backbone.delivery SET subscriber = 'elsewhere.handle' WHERE subscriber = 'toys.wrap'`);
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');

  relay.start();
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline && (await due()).includes('toys.ring'));
  await relay.stop();

  expect(await due()).toEqual(['elsewhere.handle']);
}, 10_000);

test('the relay enqueues of a long backlog enough to keep the workers busy, and then a few of the oldest at a time', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  for (let batch = 0; batch < 5; batch += 1)
    await stage.receive(...Array.from({ length: 600 }, () => ToySold({ toy: randomUUID() })));
  await stage.query(`DELETE FROM backbone.delivery WHERE subscriber <> 'toys.ring'`);
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');
  const dispatcher = stage.app.get(Dispatcher);
  // The queue loses its jobs.
  await dispatcher.idle();
  const queue = queueOf(stage);
  await queue.drain();
  const redispatched = new EventEmitter();
  const redispatch = dispatcher.redispatch.bind(dispatcher);
  jest.spyOn(dispatcher, 'redispatch').mockImplementation((refs) => {
    redispatch(refs);
    if (refs.length > 0) redispatched.emit('deliveries', refs.length);
  });

  const first = once(redispatched, 'deliveries');
  stage.app.get(Relay).start();
  expect(await first).toEqual([50]);
  const second = once(redispatched, 'deliveries');
  expect(await second).toEqual([50]);
  await stage.app.get(Relay).stop();

  const { length } = await stage.query('SELECT FROM backbone.delivery WHERE due_at > clock_timestamp()');
  expect(length).toBe(2_000 + 2 * 50);
  expect(await queue.getWaitingCount()).toBe(100 + 2 * 50);
});

test('a delivery that is redispatched several times is in the queue once', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const dispatcher = stage.app.get(Dispatcher);
  const refs = ['a', 'b'].map((subscriber) => ({ eventId: randomUUID(), subscriber: `toys.${subscriber}`, claims: 0 }));
  for (let time = 0; time < 3; time += 1) {
    dispatcher.redispatch(refs);
    await dispatcher.idle();
  }

  expect(await queueOf(stage).getWaitingCount()).toBe(2);
});

test('the relay survives an error of the database, and enqueues afterwards what was due', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', BACKLOG_MAX: '0' });
  const relay = stage.app.get(Relay);
  await stage.receive(ToySold({ toy: randomUUID() }));
  await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');
  await stage.query('ALTER TABLE backbone.delivery RENAME TO away');
  const log = new EventEmitter();
  const emit = (line: Buffer) => {
    const { msg } = JSON.parse(String(line));
    // Other readers of the table log errors too.
    if (msg.startsWith('The relay')) log.emit('relay', msg);
  };
  const output = new Writable({ write: (line, _, done) => [emit(line), done()] });
  Logger.overrideLogger(createLogger({ level: 'info', format: 'json' }, output));

  const failed = once(log, 'relay');
  relay.start();
  expect(await failed).toEqual(['The relay cannot read the deliveries and keeps trying']);
  const recovered = once(log, 'relay');
  await stage.query('ALTER TABLE backbone.away RENAME TO delivery');
  expect(await recovered).toEqual(['The relay works again']);
  await relay.stop();

  expect(await stage.query('SELECT FROM backbone.delivery WHERE due_at < clock_timestamp()')).toEqual([]);
}, 10_000);

test('the relay does not count as stopped because the wall clock jumps', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const relay = stage.app.get(Relay);
  const { now } = Date;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);

  await expect(relay.assertAlive()).resolves.toBeUndefined();
  jest.restoreAllMocks();
});
