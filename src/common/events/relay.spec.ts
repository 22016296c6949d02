import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { BusinessModule } from '../business-module.js';
import { ModuleStage } from '../testing/module-stage.js';
import { ToySold, ToysModule } from '../testing/toy-module.js';
import { Deliveries } from './deliveries.js';
import { Dispatcher } from './dispatcher.js';
import { Relay } from './relay.js';
import { SideEffect } from './subscription.js';
import { Subscriptions } from './subscriptions.js';

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

let stage: ModuleStage;
afterEach(() => stage.close());

test('the relay looks after the modules of its process, and leaves those of others alone', async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  const subscriptions = new Subscriptions([ToysModule, ElsewhereModule], (module) => module === 'toys');
  const relay = new Relay(stage.app.get(Deliveries), stage.app.get(Dispatcher), subscriptions);
  const due = async () => {
    const sql = 'SELECT subscriber FROM backbone.delivery WHERE due_at < clock_timestamp() ORDER BY 1';
    return (await stage.sql<{ subscriber: string }>(sql)).map(({ subscriber }) => subscriber);
  };
  await stage.hears(ToySold({ toy: randomUUID() }));
  await stage.sql(`UPDATE backbone.delivery SET subscriber = 'elsewhere.hear' WHERE subscriber = 'toys.wrap'`);
  await stage.sql('UPDATE backbone.delivery SET due_at = clock_timestamp()');

  relay.start();
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline && (await due()).includes('toys.ring'));
  await relay.stop();

  expect(await due()).toEqual(['elsewhere.hear']);
}, 10_000);
