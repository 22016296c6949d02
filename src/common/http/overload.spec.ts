import { randomUUID } from 'node:crypto';
import { ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';

/** The pool of the stage has five connections, of which a quarter, rounded up, is reserved. */
const REQUEST_CONNECTIONS = 3;
const REQUESTS = 12;

let stage: ModuleStage;
beforeEach(async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
});
afterEach(() => stage.close());

test('requests that use up their connections leave some for deliveries and health checks', async () => {
  const waitingForLock = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const runner = stage.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('LOCK TABLE backbone.operation');
  const answers = Array.from({ length: REQUESTS }, () => stage.get('/v1/operations/audit'));
  while ((await stage.query(waitingForLock)).length < REQUEST_CONNECTIONS);

  await stage.receive(ToySold({ toy: randomUUID() }));
  expect(await stage.runDeliveries()).toBe(3);
  expect((await stage.get('/health/ready')).body.checks).toContainEqual({ name: 'database', ok: true, detail: '' });
  expect(await stage.query(waitingForLock)).toHaveLength(REQUEST_CONNECTIONS);

  await runner.commitTransaction();
  await runner.release();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));
});
